package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"carrel/door/ncr"
	"carrel/guest/zencode"
	"carrel/guest/zencode/pool"
	"carrel/home"
	"carrel/machine"
	"carrel/socket"
	"carrel/turn"
)

// zencodeCommand has what is for Zencode beside carrel run.
func zencodeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "zencode",
		Short: "Serve scripts of Zencode and Lua over HTTP",
		Args:  cobra.ArbitraryArgs,
		RunE:  chooseCommand,
	}
	cmd.AddCommand(zencodeServeCommand())
	return cmd
}

const (
	serveFuel    = 50_000_000_000
	serveMemory  = 256 << 20
	serveTimeout = 30 * time.Second
	serveBody    = 1 << 20
	serveWaiting = 256
	// headerTimeout, readTimeout and idleTimeout bound how long a client may take to
	// send a request's head, all of it, and the next one.
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// writeMargin is how long an answer may take to be sent.
	writeMargin = 30 * time.Second
	// headBytesMax bounds the head of a request, and so the data of a GET.
	headBytesMax = 64 << 10
	// drainTimeout is how long requests may go on after a signal.
	drainTimeout = 10 * time.Second
)

// serveFlags are those of carrel zencode serve.
type serveFlags struct {
	listen           string
	engine           engineName
	fuel             fuel
	memory, body     size
	timeout          time.Duration
	running, waiting int
	prepare          int
	conf, keys, seed string
	secrets          []string
	origins, hosts   []string
	logs             string
}

func zencodeServeCommand() *cobra.Command {
	f := &serveFlags{fuel: serveFuel, memory: serveMemory, body: serveBody}
	cmd := &cobra.Command{
		Use:   "serve [flags] DIR",
		Short: "Serve each script of a directory as an HTTP endpoint, with a page to try it",
		Long: `Serve makes an endpoint of each script in DIR, as No-Code Room (NCR) does:
DIR/sub/hello.zen is /sub/hello. The body of a POST is its data, as JSON, or the
query of a GET. What it prints is the answer. Beside hello.zen or hello.lua may stand

  hello.keys.json       its keys, which never leave the server
  hello.data.json       an example of its data
  hello.schema.json     a JSON Schema that data must keep
  hello.metadata.json   how it is served
  hello.conf            its configuration of Zenroom

  /                     lists the endpoints
  /docs                 is a page to try them
  /openapi.json         describes them
  /hello/raw, /hello/app  are the script, and a page to try it

Files are read anew for each request. The engine of Zencode is fetched through npm
when it is first needed, or by carrel guest fetch zenroom.` + exits("0  it was told to end, by SIGINT or SIGTERM", "125  our own error", "127  there is no DIR, or no script in it"),
		Example: `  carrel zencode serve scripts
  curl -H 'Content-Type: application/json' -d '{"name":"Ada"}' http://127.0.0.1:3000/hello
  carrel zencode serve --listen unix:/run/user/1000/scripts.sock --prepare 8 scripts`,
		Args: exactly("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.serve(cmd, args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", "127.0.0.1:3000", "`ADDRESS` to listen on: host:port, or unix:PATH")
	flags.Var(&f.fuel, "fuel", "units of fuel that a script may use, with k, M, G or T")
	flags.Var(&f.memory, "memory", "memory that a script may use, with K, M or G; at most 2GiB")
	flags.DurationVar(&f.timeout, "timeout", serveTimeout, "how long a request may wait and run, `DUR`")
	flags.Var(&f.body, "max-body", "what the data of a request may have, with K or M; at most 16MiB")
	flags.IntVar(&f.running, "max-running", 0, "scripts that run at once, `N` (default one for each processor)")
	flags.IntVar(&f.waiting, "max-waiting", serveWaiting, "requests that wait for one to end, `N`; more are told to come again")
	flags.IntVar(&f.prepare, "prepare", 0, "keep `N` instances prepared, so that answers come in a few milliseconds, for some 2 MiB each (default as many as run; -1 is none)")
	flags.StringVar(&f.conf, "conf", "", "Zenroom's configuration, for scripts without a .conf")
	flags.StringVar(&f.keys, "keys", "", "keys for scripts without a .keys.json are in `FILE`")
	flags.StringArrayVar(&f.secrets, "secret", nil, `what {"$secret": "NAME"} in keys stands for is in `+"`NAME=FILE`")
	flags.StringVar(&f.seed, "seed", "", "the same seed for every run, `HEX`: for tests only (default a new one is drawn for each)")
	flags.StringArrayVar(&f.origins, "cors", nil, "let pages of an `ORIGIN` call, as in https://example.com, or * for all")
	flags.StringArrayVar(&f.hosts, "host", nil, "a `NAME` that requests may be for, beside this host's own (default any where others can connect)")
	flags.StringVar(&f.logs, "log", "text", "how each request is logged on standard error: `text|json|off`")
	f.engine.flag(cmd)
	_ = cmd.RegisterFlagCompletionFunc("log", cobra.FixedCompletions([]string{"text", "json", "off"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (f *serveFlags) serve(cmd *cobra.Command, dir string) error {
	options, err := f.options(cmd)
	if err != nil {
		return err
	}
	root, err := openFolder(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	options.Folder = root.FS()
	// It has no engine yet: what is wrong with the folder is said before there is one.
	late := &lateExecutor{}
	options.Executor = late
	handler, err := ncr.New(*options)
	if err != nil {
		return err
	}
	found, ignored, err := handler.List()
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if len(found) == 0 {
		return failf(exitNotFound, "%s: there is no script (.zen, .lua) in it%s", dir, because(ignored))
	}
	listener, err := listen(f.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	ctx, stop := interrupted(cmd.Context())
	defer stop()
	engine, closing, err := f.open(ctx, cmd)
	if err != nil {
		return err
	}
	defer closing()
	if err := f.works(ctx, engine, options.Limits); err != nil {
		return err
	}
	runs := pool.New(pool.Options{Engine: engine, Runs: f.prepared(), Seed: options.Seed})
	defer runs.Close()
	late.Executor = runs
	var shapes []*zencode.Input
	if err := handler.Expect(func(like *zencode.Input) { shapes = append(shapes, like) }); err != nil {
		return err
	}
	for n := range min(f.prepared(), len(shapes)*f.prepared()) {
		runs.Expect(shapes[n%len(shapes)])
	}
	hush(cmd) // there may be keys beside scripts, now or later
	announce(cmd.OutOrStdout(), listener, found)
	for _, text := range ignored {
		fmt.Fprintf(cmd.ErrOrStderr(), "carrel: not served: %s\n", plain(text))
	}
	if f.seed != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "carrel: --seed: every run has the same chance; keys that are made are the same each time")
	}
	return serveHTTP(ctx, listener, handler, f.timeout, options.Log)
}

// A lateExecutor has its executor before the first request.
type lateExecutor struct{ ncr.Executor }

// options are what the flags say, but for the folder and the engine.
func (f *serveFlags) options(cmd *cobra.Command) (*ncr.Options, error) {
	pages, err := f.memory.memoryPages()
	if err != nil {
		return nil, usagef("--memory: %w", err)
	}
	seed, err := hex.DecodeString(f.seed)
	if err != nil || len(seed) > seedBytesMax {
		return nil, usagef("--seed: %q is not at most %d bytes in hexadecimal digits", f.seed, seedBytesMax)
	}
	if f.body == 0 || f.body > zencode.TextBytesMax {
		return nil, usagef("--max-body: %s: from 1 byte to %s", f.body.String(), bytesOf(zencode.TextBytesMax))
	}
	switch {
	case f.timeout <= 0:
		return nil, usagef("--timeout: %v: it must be more than nothing", f.timeout)
	case f.running < 0:
		return nil, usagef("--max-running: %d: it must not be negative", f.running)
	case f.waiting < 0:
		return nil, usagef("--max-waiting: %d: it must not be negative", f.waiting)
	}
	options := &ncr.Options{
		Limits: turn.Limits{Fuel: uint64(f.fuel), MemoryPages: pages}, Conf: f.conf, Seed: ncr.Chance,
		Timeout: f.timeout, BodyBytes: int64(f.body), Running: f.running, Waiting: f.waiting, Origins: f.origins, Hosts: f.names(),
	}
	if f.waiting == 0 {
		options.Waiting = -1
	}
	if f.seed != "" {
		options.Seed = func() []byte { return seed }
	}
	if f.keys != "" {
		if options.Keys, err = readText(f.keys, nil); err != nil {
			return nil, fmt.Errorf("--keys: %w", err)
		}
	}
	if options.Secrets, err = readSecrets(f.secrets); err != nil {
		return nil, err
	}
	switch f.logs {
	case "text":
		options.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	case "json":
		options.Log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	case "off":
		options.Log = slog.New(slog.DiscardHandler)
	default:
		return nil, usagef("--log: %q is neither text nor json nor off", f.logs)
	}
	return options, nil
}

// prepared is how many instances are kept.
func (f *serveFlags) prepared() int {
	switch {
	case f.prepare != 0:
		return max(0, f.prepare)
	case f.running != 0:
		return f.running
	}
	return runtime.GOMAXPROCS(0)
}

// names are the hosts that requests may be for. Where only this host can ask, no page
// of the Web may by a name of its own that points here.
func (f *serveFlags) names() []string {
	host, _, err := net.SplitHostPort(f.listen)
	if strings.HasPrefix(f.listen, unixPrefix) || err != nil {
		return f.hosts
	}
	if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
		return f.hosts
	}
	return append([]string{host, "localhost", "127.0.0.1", "[::1]", "[" + host + "]"}, f.hosts...)
}

// open opens the engine of Zencode.
func (f *serveFlags) open(ctx context.Context, cmd *cobra.Command) (*zencode.Engine, func(), error) {
	h, err := home.Find()
	if err != nil {
		return nil, nil, err
	}
	glue, err := readZenroom(cmd, h)
	if err != nil {
		return nil, nil, err
	}
	on, err := f.engine.open()
	if err != nil {
		return nil, nil, err
	}
	engine, err := zencode.Load(ctx, glue, func(ctx context.Context, wasm []byte) (*machine.Program, error) {
		return loadProgram(ctx, on, wasm, cmd)
	})
	if err != nil {
		return nil, nil, errors.Join(err, on.Close())
	}
	return engine, func() { _, _ = engine.Close(), on.Close() }, nil
}

// works runs a script, so that what does not work is said now.
func (f *serveFlags) works(ctx context.Context, engine *zencode.Engine, limits turn.Limits) error {
	result, err := engine.Run(ctx, &zencode.Input{Lua: true, Script: []byte("print(1 + 1)"), Limits: limits})
	switch {
	case err != nil:
		return err
	case result.Class == turn.Fuel:
		return usagef("--fuel: %s units are less than the engine of Zencode takes to begin; it is some 130M", f.fuel.String())
	case result.Class != turn.Exit || result.Code != 0:
		return fmt.Errorf("the engine of Zencode does not work: %v %s", result.Outcome, result.Log)
	}
	return nil
}

// openFolder opens a directory, out of which no link leads.
func openFolder(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failf(exitNotFound, "%s: there is no such directory", dir)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, failf(exitNotFound, "%s is not a directory; carrel run runs a script", dir)
	}
	return os.OpenRoot(dir)
}

func because(ignored []string) string {
	if len(ignored) == 0 {
		return ""
	}
	return ": " + strings.Join(ignored, ", ")
}

const unixPrefix = "unix:"

// listen listens on host:port, or on unix:PATH, where only this user may connect.
func listen(address string) (net.Listener, error) {
	path, ok := strings.CutPrefix(address, unixPrefix)
	if !ok {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("--listen: %w", err)
		}
		return listener, nil
	}
	if len(path) > socketPathMax {
		return nil, usagef("--listen: the path of a socket has at most %d bytes: %s", socketPathMax, path)
	}
	if socket.Live(path) {
		return nil, fmt.Errorf("--listen: somebody listens at %s already", path)
	}
	listener, err := socket.Listen(path)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// announce says where what is served.
func announce(w io.Writer, listener net.Listener, found []ncr.Entry) {
	at := "http://" + listener.Addr().String()
	if listener.Addr().Network() == "unix" {
		at = unixPrefix + listener.Addr().String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "serving %d scripts at %s, to be tried at %s/docs\n", len(found), at, at)
	for _, entry := range found {
		fmt.Fprintf(&b, "  /%s  %s\n", plain(entry.Name), plain(filepath.FromSlash(entry.File)))
	}
	_, _ = io.WriteString(w, b.String())
}

// serveHTTP serves until the context ends, and then lets requests come to their end.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler, timeout time.Duration, to *slog.Logger) error {
	var under sync.WaitGroup // requests
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			under.Add(1)
			defer under.Done()
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: readTimeout + timeout + writeMargin, IdleTimeout: idleTimeout,
		MaxHeaderBytes: headBytesMax, ErrorLog: slog.NewLogLogger(to.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if server.Shutdown(drain) != nil {
		err := server.Close()
		under.Wait() // scripts are stopped: nothing of them may be under way when the engine ends
		return err
	}
	return nil
}
