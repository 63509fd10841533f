package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"carrel/program/seal"
	"carrel/receipt"
	"carrel/toolchain"
	"carrel/tree"
	"carrel/turn"
)

// serve starts a server that idles for long, and gives its socket and what
// Serve comes to.
func serve(t *testing.T, s *Server) (socket string, done chan error) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	if s.Idle == 0 {
		s.Idle = time.Hour
	}
	if s.Jobs == 0 {
		s.Jobs = 1
	}
	ctx, stop := context.WithCancel(context.Background())
	done = make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	t.Cleanup(stop)
	return socket, done
}

// files is a tree of one file, "a".
type files struct{ content string }

func (f files) Stat(name string) (tree.Kind, int64, error) {
	if name != "a" {
		return 0, 0, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return tree.File, int64(len(f.content)), nil
}

func (f files) Read(name string, size int64) ([]byte, error) { return []byte(f.content)[:size], nil }

func (f files) List(name string, limit int) ([]tree.Entry, error) {
	if limit < 1 {
		return nil, fmt.Errorf("more than %d entries", limit)
	}
	return []tree.Entry{{Name: "a", Kind: tree.File}}, nil
}

func (f files) Link(name string) (string, error) { return "to " + name, nil }

// command is a command that remembers what was done for it.
type command struct {
	toolchain.Command
	out, errs bytes.Buffer
	applied   []tree.Change
	programs  []string
	kept      []string
}

func newCommand(tool string, args ...string) *command {
	c := &command{}
	c.Command = toolchain.Command{
		Tool: tool, Args: args, Dir: "/src", Root: files{"content"}, Limits: turn.Limits{Fuel: 7, MemoryPages: 8},
		Stdin: strings.NewReader("input"), Stdout: &c.out, Stderr: &c.errs,
		Apply: func(changes []tree.Change, programs []string) error {
			c.applied, c.programs = append(c.applied, changes...), append(c.programs, programs...)
			return nil
		},
	}
	return c
}

// TestRun has a command do everything that a command can, straight and through
// a daemon.
func TestRun(t *testing.T) {
	tool := func(_ context.Context, c *toolchain.Command) (int, error) {
		kind, size, err := c.Root.Stat("a")
		content, err2 := c.Root.Read("a", size)
		entries, err3 := c.Root.List(".", 9)
		target, err4 := c.Root.Link("l")
		_, _, absent := c.Root.Stat("b")
		_, many := c.Root.List(".", 0)
		input, err5 := io.ReadAll(c.Stdin)
		if err := errors.Join(err, err2, err3, err4, err5); err != nil {
			return 0, err
		}
		fmt.Fprintf(c.Stdout, "%s %q in %s, %+v: %v %s, %v, %s; absent %v, %v %v; input %q",
			c.Tool, c.Args, c.Dir, c.Limits, kind, content, entries, target,
			errors.Is(absent, fs.ErrNotExist), many, errors.Is(many, fs.ErrNotExist), input)
		fmt.Fprint(c.Stderr, "warning")
		err = c.Apply([]tree.Change{{Path: "src/out", Was: tree.Absent, Kind: tree.File, Data: []byte("object")}}, []string{"src/out"})
		if c.Record != nil {
			err = errors.Join(err, c.Record.Keep("sha256:1", []byte("kept")))
			c.Record.Steps = []receipt.Turn{{Input: receipt.Input{Args: []string{"clang"}, Program: receipt.NewBlob([]byte("p"))}}}
		}
		return 3, err
	}
	straight, through := newCommand("cc", "-c", "x.c"), newCommand("cc", "-c", "x.c")
	for _, c := range []*command{straight, through} {
		c.Record = &toolchain.Record{Keep: func(digest string, content []byte) error {
			c.kept = append(c.kept, digest+" "+string(content))
			return nil
		}}
	}
	want, err := tool(t.Context(), &straight.Command)
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := serve(t, &Server{Run: tool})
	code, err := Run(t.Context(), socket, &through.Command)
	if err != nil || code != want {
		t.Fatalf("exit code %d, %v; want %d", code, err, want)
	}
	if got, want := through.out.String()+through.errs.String(), straight.out.String()+straight.errs.String(); got != want {
		t.Errorf("said %s, want %s", got, want)
	}
	for _, d := range []string{
		cmp.Diff(straight.applied, through.applied), cmp.Diff(straight.programs, through.programs),
		cmp.Diff(straight.kept, through.kept), cmp.Diff(straight.Record.Steps, through.Record.Steps),
	} {
		if d != "" {
			t.Error(d)
		}
	}
	if through.Record.Steps[0].Input.Program.Digest != seal.Sum([]byte("p")) {
		t.Error("a digest is lost on the way")
	}
}

func TestEnds(t *testing.T) {
	refused := errors.New("disk full")
	for _, c := range []struct {
		name string
		run  func(context.Context, *toolchain.Command) (int, error)
		want string
	}{
		{"a fault", func(context.Context, *toolchain.Command) (int, error) {
			return 0, &toolchain.FaultError{Outcome: turn.Outcome{Class: turn.Fuel, Text: "out of fuel"}}
		}, "fuel: out of fuel"},
		{"an error", func(context.Context, *toolchain.Command) (int, error) { return 0, errors.New("no engine") }, "no engine"},
		{"an error of the client", func(_ context.Context, c *toolchain.Command) (int, error) { return 0, c.Apply(nil, nil) }, "disk full"},
		{"a bug", func(context.Context, *toolchain.Command) (int, error) { panic("ouch") }, "which is a bug of carrel: ouch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			socket, _ := serve(t, &Server{Run: c.run})
			for range 2 { // it goes on after any of them
				command := newCommand("cc")
				command.Apply = func([]tree.Change, []string) error { return refused }
				_, err := Run(t.Context(), socket, &command.Command)
				if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrNone) {
					t.Fatalf("got %v, want %q", err, c.want)
				}
				if fault := (*toolchain.FaultError)(nil); errors.As(err, &fault) != (c.name == "a fault") {
					t.Errorf("got %T", err)
				}
			}
		})
	}
}

// TestNone: without a daemon, or with one that goes away before it has done
// anything, the command can be run otherwise; not if it has.
func TestNone(t *testing.T) {
	if _, err := Run(t.Context(), filepath.Join(t.TempDir(), "none"), &newCommand("cc").Command); !errors.Is(err, ErrNone) {
		t.Errorf("got %v", err)
	}
	for _, c := range []struct {
		name string
		asks []ask
		none bool
	}{
		{"at once", nil, true},
		{"after it looked", []ask{{Op: opStat, Name: "a"}, {Op: opRead, Name: "a", N: 3}}, true},
		{"after it wrote nothing", []ask{{Op: opStderr}, {Op: opStdout}}, true},
		{"after it kept a blob", []ask{{Op: opKeep, Name: "sha256:1"}}, true},
		{"after it put files into place", []ask{{Op: opApply}}, false},
		{"after it wrote", []ask{{Op: opStdout, Data: []byte("x")}}, false},
		{"after it read input", []ask{{Op: opStdin, N: 1}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "s")
			listener, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				s := &Server{}
				asked := make(chan struct{})
				s.Run = func(_ context.Context, command *toolchain.Command) (int, error) {
					for _, q := range c.asks {
						if _, err := command.Root.(*client).ask(&q); err != nil {
							t.Error(err)
						}
					}
					conn.Close()
					close(asked)
					return 0, nil
				}
				s.handle(context.Background(), conn, make(chan struct{}, 1))
				<-asked
			}()
			command := newCommand("cc")
			command.Record = &toolchain.Record{Keep: func(string, []byte) error { return nil }}
			_, err = Run(t.Context(), socket, &command.Command)
			if err == nil || errors.Is(err, ErrNone) != c.none {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestCancel: who sent the command goes, and it stops.
func TestCancel(t *testing.T) {
	started, stopped := make(chan struct{}), make(chan error, 1)
	socket, _ := serve(t, &Server{Run: func(ctx context.Context, c *toolchain.Command) (int, error) {
		close(started)
		<-ctx.Done()
		_, err := c.Stdout.Write([]byte("x"))
		stopped <- err
		return 0, ctx.Err()
	}})
	interrupt := errors.New("interrupt")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-started; cancel(interrupt) }()
	if _, err := Run(ctx, socket, &newCommand("cc").Command); !errors.Is(err, interrupt) {
		t.Errorf("got %v", err)
	}
	if err := <-stopped; err == nil {
		t.Error("the command still has somebody to write to")
	}
}

// TestStop: a server that is told to end stops its commands, which can then be run
// without it.
func TestStop(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &Server{Jobs: 1, Idle: time.Hour, Run: func(ctx context.Context, c *toolchain.Command) (int, error) {
		stop()
		<-ctx.Done()
		return 0, &toolchain.FaultError{Outcome: turn.Outcome{Class: turn.Stopped}}
	}}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	if _, err := Run(t.Context(), socket, &newCommand("cc").Command); !errors.Is(err, ErrNone) {
		t.Errorf("got %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLate: a server that has been idle for long enough finishes what
// has come just before.
func TestLate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	late := &lateListener{Listener: listener, ended: make(chan struct{})}
	s := &Server{Jobs: 1, Idle: time.Millisecond, Run: func(ctx context.Context, c *toolchain.Command) (int, error) { return 5, ctx.Err() }}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), late) }()
	if code, err := Run(t.Context(), socket, &newCommand("cc").Command); code != 5 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A lateListener hands over a connection when it has been closed.
type lateListener struct {
	net.Listener
	ended chan struct{}
	once  sync.Once
}

func (l *lateListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	<-l.ended
	l.Listener.Close()
	return conn, err
}

func (l *lateListener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

// TestJobs: no more commands at once than that, and each gets its turn.
func TestJobs(t *testing.T) {
	running, most := make(chan int, 1), 0
	running <- 0
	socket, _ := serve(t, &Server{Jobs: 2, Run: func(_ context.Context, c *toolchain.Command) (int, error) {
		n := <-running
		most = max(most, n+1)
		running <- n + 1
		_, _, err := c.Root.Stat("a")
		running <- <-running - 1
		return len(c.Args), err
	}})
	const clients = 20
	done := make(chan error, clients)
	for n := range clients {
		go func() {
			code, err := Run(t.Context(), socket, &newCommand("cc", make([]string, n)...).Command)
			if err == nil && code != n {
				err = fmt.Errorf("exit code %d, want %d", code, n)
			}
			done <- err
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if <-running; most > 2 {
		t.Errorf("%d commands at once", most)
	}
}

// TestPlaces: commands that wait for their clients, to read or to write, do not keep
// others from running: what they wait for may be one of these.
func TestPlaces(t *testing.T) {
	socket, _ := serve(t, &Server{Jobs: 1, Run: func(_ context.Context, c *toolchain.Command) (int, error) {
		input, err := io.ReadAll(c.Stdin)
		fmt.Fprintf(c.Stdout, "%s after %s", c.Tool, input)
		return 0, err
	}})
	shown, output := io.Pipe() // nobody reads it at first
	input, last := io.Pipe()
	done := make(chan error, 2)
	blocked, waiting, free := newCommand("blocked"), newCommand("waiting"), newCommand("free")
	blocked.Stdout, waiting.Stdin = output, input
	for _, c := range []*command{blocked, waiting} {
		go func() {
			_, err := Run(t.Context(), socket, &c.Command)
			done <- err
		}()
	}
	if _, err := Run(t.Context(), socket, &free.Command); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(last, &free.out)
	last.Close()
	said := make([]byte, 100)
	n, err := shown.Read(said)
	if err := errors.Join(err, <-done, <-done); err != nil {
		t.Fatal(err)
	}
	if got, want := string(said[:n])+", "+waiting.out.String(), "blocked after input, waiting after free after input"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestIdle: a server ends by itself, but not under a command.
func TestIdle(t *testing.T) {
	socket, done := serve(t, &Server{Idle: time.Millisecond, Run: func(context.Context, *toolchain.Command) (int, error) {
		time.Sleep(50 * time.Millisecond)
		return 5, nil
	}})
	code, err := Run(t.Context(), socket, &newCommand("cc").Command)
	if !errors.Is(err, ErrNone) && (err != nil || code != 5) { // it may have ended before the command came
		t.Errorf("exit code %d, %v", code, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := Run(t.Context(), socket, &newCommand("cc").Command); !errors.Is(err, ErrNone) {
		t.Errorf("got %v", err)
	}
}

// FuzzRequest: whatever a client says, the server answers it or hangs up.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.0\r\n\r\n"))
	f.Add([]byte{0xf8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, said []byte) {
		mine, theirs := net.Pipe()
		go func() {
			_, _ = mine.Write(said)
			mine.Close()
		}()
		go func() { _, _ = io.Copy(io.Discard, mine) }()
		s := &Server{Run: func(_ context.Context, c *toolchain.Command) (int, error) {
			_, _, err := c.Root.Stat("a")
			return 0, err
		}}
		s.handle(t.Context(), theirs, make(chan struct{}, 1))
		theirs.Close()
	})
}
