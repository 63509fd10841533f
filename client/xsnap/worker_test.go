package xsnap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"carrel/client/xsnap"
	"carrel/client/xsnap/xsnaptest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	xsnaptest.Clean()
	os.Exit(code)
}

// each runs a test with Carrel's worker, and with npm's.
func each(t *testing.T, test func(t *testing.T, path string)) {
	t.Run("carrel", func(t *testing.T) { test(t, xsnaptest.Worker(t)) })
	t.Run("npm", func(t *testing.T) { test(t, xsnaptest.Genuine(t)) })
}

func start(t testing.TB, o xsnap.Options) *xsnap.Worker {
	t.Helper()
	w, err := xsnap.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Terminate() })
	return w
}

func evaluate(t testing.TB, w *xsnap.Worker, source string) xsnap.Reply {
	t.Helper()
	reply, err := w.Evaluate(context.Background(), source)
	if err != nil {
		t.Fatalf("%.100s: %v", source, err)
	}
	return reply
}

// answer is source whose result is a text.
func answer(expression string) string {
	return fmt.Sprintf("new TextEncoder().encode(String(%s)).buffer", expression)
}

func TestConversation(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		var asked []string
		var printed, wrong bytes.Buffer
		w := start(t, xsnap.Options{
			Path: path, Name: "a vat", MeteringLimit: 1e8, Stdout: &printed, Stderr: &wrong,
			Handle: func(_ context.Context, message []byte) ([]byte, error) {
				asked = append(asked, string(message))
				return bytes.ToUpper(message), nil
			},
		})
		evaluate(t, w, `const bytes = (s) => new TextEncoder().encode(s).buffer, text = (b) => new TextDecoder().decode(b);
			globalThis.handleCommand = (message) => {
				print('got', text(message));
				const answer = text(issueCommand(bytes('more of ' + text(message))));
				const report = {};
				setImmediate(() => { report.result = bytes(answer + '!'); });
				return report;
			};`)
		reply, err := w.Deliver(context.Background(), []byte("hello"))
		if err != nil || string(reply.Result) != "MORE OF HELLO!" {
			t.Fatalf("%q, %v", reply.Result, err)
		}
		if m := reply.Meter; m.Compute == 0 || m.Allocate == 0 || m.HeapCount == 0 || len(m.Timestamps) != 4 || !slices.IsSorted(m.Timestamps) {
			t.Errorf("%+v", m)
		}
		thrown := (*xsnap.Exception)(nil)
		if _, err := w.Evaluate(context.Background(), "throw new Error('no')"); !errors.As(err, &thrown) || thrown.Text != "Error: no" {
			t.Error(err)
		}
		if string(evaluate(t, w, answer("1 + 1")).Result) != "2" {
			t.Error("it does not go on")
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if !slices.Equal(asked, []string{"more of hello"}) || printed.String() != "got hello\n" || wrong.Len() > 0 {
			t.Errorf("asked %q, printed %q, wrong %q", asked, printed.String(), wrong.String())
		}
		if err := w.Ready(context.Background()); !errors.Is(err, xsnap.ErrClosed) {
			t.Error(err)
		}
	})
}

// TestSnapshot has workers that go on from a snapshot as the first one does.
func TestSnapshot(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		first := start(t, xsnap.Options{Path: path})
		evaluate(t, first, `let n = 0; let go; globalThis.waiting = new Promise((r) => { go = r; });
			function* counter() { for (;;) yield ++n; }
			const it = counter(); it.next();
			globalThis.step = () => { go('gone ' + it.next().value); const r = {}; waiting.then((w) => { r.result = `+"new TextEncoder().encode(w + it.next().value).buffer"+` }); return r; };`)
		var snapshot, again bytes.Buffer
		for n, to := range []*bytes.Buffer{&snapshot, &again} {
			size, err := first.Snapshot(context.Background(), to)
			if err != nil || size != int64(to.Len()) || size == 0 {
				t.Fatalf("snapshot %d: %d bytes of %d, %v", n, to.Len(), size, err)
			}
		}
		if !bytes.Equal(snapshot.Bytes(), again.Bytes()) {
			t.Error("nothing happened, and the snapshot is another")
		}
		second := start(t, xsnap.Options{Path: path, Snapshot: &snapshot, Name: "second"})
		one, other := evaluate(t, first, "step()"), evaluate(t, second, "step()")
		if string(one.Result) != "gone 23" || string(other.Result) != "gone 23" {
			t.Errorf("%q, restored %q", one.Result, other.Result)
		}
		if one.Meter.Compute != other.Meter.Compute || one.Meter.HeapCount != other.Meter.HeapCount {
			t.Errorf("%+v, restored %+v", one.Meter, other.Meter)
		}
		var after, afterToo bytes.Buffer
		for w, to := range map[*xsnap.Worker]*bytes.Buffer{first: &after, second: &afterToo} {
			if _, err := w.Snapshot(context.Background(), to); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(after.Bytes(), afterToo.Bytes()) {
			t.Error("the same history led to other bytes")
		}
	})
}

func TestExits(t *testing.T) {
	for _, test := range []struct {
		name, source string
		limit        uint64
		want         xsnap.ExitCode
	}{
		{"loop", "for (;;);", 1e6, xsnap.TooMuchComputation},
		{"caught loop", "try { for (;;); } finally { print('never') }", 1e6, xsnap.TooMuchComputation},
		{"promises", "const f = () => { Promise.resolve().then(f); }; f()", 1e6, xsnap.TooMuchComputation},
		{"calls", "const f = () => f() + 1; try { f() } catch { print('never') }", 0, xsnap.StackOverflow},
		{"memory", "const a = []; for (;;) try { a.push(new ArrayBuffer(2.14e9)) } catch { print('never') }", 0, xsnap.NotEnoughMemory},
		{"immediate", "setImmediate(() => { throw new Error('x') })", 0, xsnap.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, path string) {
				var printed bytes.Buffer
				w := start(t, xsnap.Options{Path: path, MeteringLimit: test.limit, Stdout: &printed})
				_, err := w.Evaluate(context.Background(), test.source)
				exit := (*xsnap.ExitError)(nil)
				if !errors.As(err, &exit) || exit.Code != test.want || exit.Signal != nil {
					t.Errorf("%+v, want %v", err, test.want)
				}
				if printed.Len() > 0 {
					t.Errorf("printed %q", printed.String())
				}
			})
		})
	}
}

func TestCloseAfterException(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		w := start(t, xsnap.Options{Path: path})
		if _, err := w.Evaluate(context.Background(), "throw 1"); err == nil {
			t.Error("no exception")
		}
		exit := (*xsnap.ExitError)(nil)
		if err := w.Close(); !errors.As(err, &exit) || exit.Code != xsnap.UnhandledException {
			t.Error(err)
		}
	})
}

// TestCancel has an endless loop, ended by its context.
func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		ctx, cancel := context.WithCancel(context.Background())
		w := start(t, xsnap.Options{Path: path, Handle: func(context.Context, []byte) ([]byte, error) {
			cancel()
			return nil, nil
		}})
		_, err := w.Evaluate(ctx, "issueCommand(new ArrayBuffer(0)); for (;;);")
		exit := (*xsnap.ExitError)(nil)
		if !errors.Is(err, context.Canceled) || !errors.As(err, &exit) || exit.Signal == nil {
			t.Error(err)
		}
	})
}

func TestHandlerFails(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		no := errors.New("no")
		for _, handle := range []func(context.Context, []byte) ([]byte, error){
			nil,
			func(context.Context, []byte) ([]byte, error) { return nil, no },
		} {
			w := start(t, xsnap.Options{Path: path, Handle: handle})
			_, err := w.Evaluate(context.Background(), "issueCommand(new ArrayBuffer(0))")
			if handle != nil && !errors.Is(err, no) || handle == nil && !strings.Contains(fmt.Sprint(err), "Options.Handle") {
				t.Error(err)
			}
		}
	})
}

func TestBadStarts(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		first := start(t, xsnap.Options{Path: path})
		var snapshot bytes.Buffer
		if _, err := first.Snapshot(context.Background(), &snapshot); err != nil {
			t.Fatal(err)
		}
		for name, from := range map[string]io.Reader{
			"nothing":       strings.NewReader(""),
			"something":     strings.NewReader(strings.Repeat("no snapshot ", 1000)),
			"a part of one": bytes.NewReader(snapshot.Bytes()[:snapshot.Len()/2]),
		} {
			_, err := xsnap.Start(context.Background(), xsnap.Options{Path: path, Snapshot: from})
			exit := (*xsnap.ExitError)(nil)
			if !errors.As(err, &exit) || exit.Code != xsnap.IOError || !strings.Contains(exit.Stderr, "cannot read snapshot @8:xsnap-worker: ") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	for _, o := range []xsnap.Options{
		{}, {Path: "no such program"}, {Path: "x", Name: "-x"}, {Path: "x", MeteringLimit: 1 << 31},
		{Path: "x", ParserKiB: -1}, {Path: "x", MessageBytesMax: 1e9},
	} {
		if _, err := xsnap.Start(context.Background(), o); err == nil || !strings.HasPrefix(err.Error(), "start worker: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestMessageLimit(t *testing.T) {
	each(t, func(t *testing.T, path string) {
		w := start(t, xsnap.Options{Path: path, MessageBytesMax: 10_000})
		evaluate(t, w, "new ArrayBuffer(9000)")
		if _, err := w.Evaluate(context.Background(), "new ArrayBuffer(10000)"); err == nil {
			t.Error("any length")
		}
	})
}

// TestFiles has the worker run files, and import them.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"script.js": "let fromScript = 3;", "module.mjs": "import { n } from './other.mjs'; globalThis.fromModule = n;",
		"other.mjs": "export const n = 4;", "bad.js": "throw new Error('bad')",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	each(t, func(t *testing.T, path string) {
		ctx := context.Background()
		w := start(t, xsnap.Options{Path: path})
		_, err := w.Run(ctx, dir+"/script.js")
		_, err2 := w.Import(ctx, dir+"/module.mjs")
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if got := evaluate(t, w, answer("[fromScript, fromModule]")).Result; string(got) != "3,4" {
			t.Errorf("%q", got)
		}
		if _, err := w.Run(ctx, dir+"/bad.js"); err == nil {
			t.Error("no error")
		}
		exit := (*xsnap.ExitError)(nil)
		if err := w.Close(); !errors.As(err, &exit) || exit.Stderr != "Error: bad" {
			t.Error(err)
		}
	})
}
