package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"carrel/door/nxcc"
	"carrel/guest/zencode"
	"carrel/home"
	"carrel/machine"
	"carrel/program/seal"
	"carrel/quantity"
	"carrel/receipt"
	"carrel/runner"
	"carrel/turn"
)

// workerFlags are those of carrel run that are for workers of nXCC.
type workerFlags struct{ event, http string }

func (f *workerFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.event, "event", "", "worker.json: what it is invoked with is in `FILE`, - is standard input (default a launch)")
	cmd.Flags().StringVar(&f.http, "http", "", "worker.json: the request that it is invoked with is in `FILE`: method, uri, headers, body")
}

// absent reports the first of them that was given, for a program that is no worker.
func (f *workerFlags) absent() error {
	if f.event != "" || f.http != "" {
		return usagef("--event and --http are for workers (.json)")
	}
	return nil
}

func isWorker(name string) bool { return filepath.Ext(name) == ".json" }

// checkWorker reports flags that are not for workers.
func (f *runFlags) checkWorker(args []string) error {
	const own = "its userdata say what it is handed"
	if len(args) > 1 {
		return usagef("%q: a worker has no arguments; %s", args[1], own)
	}
	if f.worker.event != "" && f.worker.http != "" {
		return usagef("--event and --http are two invocations: ask for one")
	}
	return unfit("workers", []flagUse{
		{len(f.dirs) > 0, "dir", own}, {len(f.tars) > 0, "tar", own}, {len(f.env) > 0, "env", own}, {f.cwd != "", "cwd", own},
		{f.zencode.data != "", "data", own}, {f.zencode.keys != "", "keys", own}, {f.zencode.extra != "", "extra", own}, {f.zencode.context != "", "context", own}, {f.zencode.conf != "", "conf", own},
		{f.clock != "tick", "clock", "its clock ticks"},
		{f.call != "", "call", "it runs from its beginning to its end"},
		{f.from != "", "from", "it runs from its beginning to its end"},
		{f.imageOut != "", "image-out", "each run is a fresh one"},
		{f.trace != "", "trace", "its log is in the envelope"},
		{f.stats, "stats", "what came of it is in the envelope"},
	})
}

// runWorker invokes a worker of nXCC as its service would, and prints what the service
// would answer: the envelope, or the body that answers a request.
func (f *runFlags) runWorker(cmd *cobra.Command, name string, spec *runner.Spec) error {
	manifest, err := readWorker(name)
	if err != nil {
		return err
	}
	secrets, err := readSecrets(f.zencode.secrets)
	if err != nil {
		return err
	}
	if len(secrets) > 0 {
		hush(cmd)
	}
	for given := range secrets {
		if manifest.Secrets != nil && !slices.Contains(manifest.Secrets, given) {
			fmt.Fprintf(cmd.ErrOrStderr(), "carrel: --secret %s: the worker's identities are %s; it is handed in all the same\n", given, strings.Join(manifest.Secrets, ", "))
		}
	}
	h, err := home.Find()
	if err != nil {
		return err
	}
	glue, err := readZenroom(cmd, h)
	if err != nil {
		return err
	}
	on, err := f.engine.open()
	if err != nil {
		return err
	}
	defer on.Close()
	var wasm []byte
	engine, err := zencode.Load(cmd.Context(), glue, func(ctx context.Context, found []byte) (*machine.Program, error) {
		wasm = found
		return loadProgram(ctx, on, wasm, cmd)
	})
	if err != nil {
		return err
	}
	machineOptions := nxcc.MachineOptions{Engine: engine, Wasm: wasm, Glue: glue, Limits: spec.Limits, Running: 1, Prepared: -1}
	if f.seed != "" {
		machineOptions.Seed = func() []byte { return spec.Seed }
	}
	options, err := f.workerOptions(cmd, &machineOptions.Limits)
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	if f.receipt != "" {
		paper, err := f.openReceipt(cmd, h, on, wasm, glue)
		if err != nil {
			return errors.Join(err, engine.Close())
		}
		defer paper.close(cmd)
		machineOptions.Keep, options.Receipt = paper.keep.file, paper.write
	}
	vm := nxcc.NewVM(nxcc.NewMachine(machineOptions), *options)
	defer vm.Close()
	w, err := vm.Start(&nxcc.Start{WorkerID: strings.TrimSuffix(filepath.Base(name), ".json"), Script: manifest.Script, Userdata: manifest.Userdata, Secrets: secrets})
	if err != nil {
		return failf(exitRefused, "%s: %w", name, err)
	}
	return f.invoke(cmd, w)
}

// readWorker reads a worker, and the script that it names.
func readWorker(name string) (*nxcc.Manifest, error) {
	text, err := readText(name, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf(exitNotFound, "%s: there is no such worker", name)
	} else if err != nil {
		return nil, failf(exitNotFound, "%w", err)
	}
	manifest, err := nxcc.ReadManifest(text, func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(name), path)
		}
		return readText(path, nil)
	})
	if err != nil {
		return nil, failf(exitRefused, "%s: %w", name, err)
	}
	return manifest, nil
}

// workerOptions are those of the service, which the environment sets, with what flags
// say; so are the limits.
func (f *runFlags) workerOptions(cmd *cobra.Command, limits *turn.Limits) (*nxcc.Options, error) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	settings := nxcc.NewSettings(flags)
	if err := settings.Environment(flags, os.LookupEnv); err != nil {
		return nil, usagef("%w", err)
	}
	if !cmd.Flags().Changed("fuel") {
		limits.Fuel = settings.Fuel
	}
	if !cmd.Flags().Changed("memory") {
		var err error
		if limits.MemoryPages, err = quantity.Pages(settings.Memory); err != nil {
			return nil, usagef("%w", err)
		}
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	options, err := settings.Options(nil, "", log)
	if err != nil {
		return nil, err
	}
	if f.timeout > 0 {
		options.Timeout = f.timeout
	}
	if f.time != "" {
		start, err := parseStart(f.time)
		if err != nil {
			return nil, usagef("--time: %w", err)
		}
		options.Now = func() time.Time { return time.Unix(0, int64(start)) }
	}
	return &options, nil
}

// A workerReceipt is the receipt of an invocation, to be made.
type workerReceipt struct {
	name    string
	key     seal.PrivateKey
	keep    *keepsake
	parts   [][]byte // that it names and the machine does not keep: the engine
	engine  machine.Engine
	started time.Time
	tried   bool
}

func (f *runFlags) openReceipt(cmd *cobra.Command, h home.Home, on machine.Engine, parts ...[]byte) (*workerReceipt, error) {
	if err := writable(f.receipt); err != nil {
		return nil, fmt.Errorf("--receipt: %w", err)
	}
	p := &workerReceipt{name: f.receipt, parts: parts, engine: on, started: time.Now()}
	var err error
	if p.key, err = signingKey(cmd, h); err != nil {
		return nil, err
	}
	p.keep, err = newKeepsake(h)
	return p, err
}

// write signs and writes it.
func (p *workerReceipt) write(_ *nxcc.Worker, t *runner.Turn) ([]byte, error) {
	p.tried = true
	done, err := t.Record()
	if err != nil {
		return nil, err
	}
	for _, part := range p.parts {
		if err := p.keep.file(seal.Sum(part).String(), part); err != nil {
			return nil, err
		}
	}
	said := remarks(p.engine, p.started, time.Since(p.started))
	return nil, writeReceipt(p.name, &receipt.Receipt{Input: done.Input, Result: done.Result, Remarks: said}, p.key)
}

// close says so if there is none.
func (p *workerReceipt) close(cmd *cobra.Command) {
	p.keep.warn(cmd.ErrOrStderr())
	if !p.tried {
		fmt.Fprintln(cmd.ErrOrStderr(), "carrel: no receipt: what came of the script is not a result")
	}
	p.keep.Close()
}

// invoke invokes a worker as the flags say.
func (f *runFlags) invoke(cmd *cobra.Command, w *nxcc.Worker) error {
	ctx, stop := interrupted(cmd.Context())
	defer stop()
	if f.worker.http != "" {
		text, err := readText(f.worker.http, cmd.InOrStdin())
		if err != nil {
			return fmt.Errorf("--http: %w", err)
		}
		request, err := nxcc.ReadRequest(text)
		if err != nil {
			return usagef("--http: %s: %w", f.worker.http, err)
		}
		answer, e, err := w.HTTP(ctx, request)
		if err != nil {
			return err
		}
		return f.answered(cmd, e, answer.Body)
	}
	event := []byte(`{"handler":"run","event_payload":null}`)
	if f.worker.event != "" {
		var err error
		if event, err = readText(f.worker.event, cmd.InOrStdin()); err != nil {
			return fmt.Errorf("--event: %w", err)
		}
	}
	e, err := w.Event(ctx, event, nxcc.Handler(event))
	if err != nil {
		return err
	}
	return f.answered(cmd, e, append(e.JSON(), '\n'))
}

// answered prints what came of an invocation. One that failed is exit code 1.
func (f *runFlags) answered(cmd *cobra.Command, e *nxcc.Envelope, text []byte) error {
	if _, err := cmd.OutOrStdout().Write(text); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	if !e.OK {
		_, _ = io.WriteString(cmd.ErrOrStderr(), "carrel: the invocation failed: "+plain(e.Error.Code+": "+e.Error.Message)+"\n")
		return quit(1)
	}
	return nil
}
