package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"carrel/native"
)

// does names what this binary does when a test has started it.
const does = "NATIVE_TEST_DOES"

// acts are what it can do.
var acts = map[string]func() int{
	"echo": func() int {
		in, _ := io.ReadAll(os.Stdin)
		fmt.Printf("%s of %d arguments", in, len(os.Args)-1)
		fmt.Fprint(os.Stderr, "told")
		return 7
	},
	"flood":        func() int { return flood(os.Stdout) },
	"flood stderr": func() int { return flood(os.Stderr) },
	"size": func() int {
		n, _ := strconv.Atoi(os.Getenv("NATIVE_TEST_SIZE"))
		_, _ = os.Stdout.Write(bytes.Repeat([]byte("x"), n))
		_, _ = os.Stderr.Write(bytes.Repeat([]byte("y"), n))
		return 0
	},
	"leave": func() int { return 3 }, // and its input where it is
	"die": func() int {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	},
	"hang":  func() int { time.Sleep(time.Hour); return 0 },
	"child": func() int { return child(&syscall.SysProcAttr{}, true) },
	"stray": func() int { return child(&syscall.SysProcAttr{Setsid: true}, true) },
	"orphan": func() int {
		fmt.Print("done")
		return child(&syscall.SysProcAttr{}, false)
	},
	"stray orphan": func() int {
		fmt.Print("done")
		return child(&syscall.SysProcAttr{Setsid: true}, false)
	},
	"closed": func() int {
		os.Stdout.Close()
		os.Stderr.Close()
		time.Sleep(time.Hour)
		return 0
	},
}

func flood(to *os.File) int {
	for {
		if _, err := to.Write(make([]byte, 64<<10)); err != nil {
			return 0
		}
	}
}

// child starts a child that hangs and has all of our pipes. Its number goes to a file.
func child(attr *syscall.SysProcAttr, wait bool) int {
	self, _ := os.Executable()
	c := exec.Command(self)
	c.Env = append(os.Environ(), does+"=hang")
	c.Stdin, c.Stdout, c.Stderr, c.SysProcAttr = os.Stdin, os.Stdout, os.Stderr, attr
	if err := c.Start(); err != nil {
		return 1
	}
	name := os.Getenv("NATIVE_TEST_CHILD")
	_ = os.WriteFile(name+"~", []byte(strconv.Itoa(c.Process.Pid)), 0o644)
	_ = os.Rename(name+"~", name)
	if wait {
		_ = c.Wait()
	}
	return 0
}

func TestMain(m *testing.M) {
	if act, ok := acts[os.Getenv(does)]; ok {
		os.Exit(act())
	}
	os.Exit(m.Run())
}

// run runs this binary as one that does something.
func run(t *testing.T, ctx context.Context, what string, stdin []byte) (*native.Result, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(does, what)
	r, err := native.Run(ctx, native.Command{Path: self, Stdin: stdin, StdoutMax: 1000, StderrMax: 1000})
	if r == nil {
		t.Fatalf("%s: there is no result; %v", what, err)
	}
	return r, err
}

func TestRun(t *testing.T) {
	r, err := run(t, context.Background(), "echo", []byte("hello"))
	if err != nil || r.Code != 7 || string(r.Stdout) != "hello of 0 arguments" || string(r.Stderr) != "told" || r.StdoutOver || r.StderrOver {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = run(t, context.Background(), "die", nil)
	if err != nil || r.Code != -1 {
		t.Errorf("of a signal: %+v, %v", r, err)
	}
}

// TestSize prints as much as is taken, and a byte more.
func TestSize(t *testing.T) {
	for size, over := range map[int]bool{0: false, 999: false, 1000: false, 1001: true, 5000: true} {
		t.Setenv("NATIVE_TEST_SIZE", strconv.Itoa(size))
		r, err := run(t, context.Background(), "size", nil)
		want := strings.Repeat("x", min(size, 1000))
		if err != nil || string(r.Stdout) != want || r.StdoutOver != over && r.StderrOver != over {
			t.Errorf("%d: %d bytes, over %v, %v, %v", size, len(r.Stdout), r.StdoutOver, r.StderrOver, err)
		}
		if code := 0; !over && (r.Code != code || len(r.Stderr) != size) || over && r.Code != -1 {
			t.Errorf("%d: %+v", size, r)
		}
	}
}

func TestFlood(t *testing.T) {
	large := make([]byte, 1<<20) // which it does not read: it is the flood that is told of
	for _, what := range []string{"flood", "flood stderr"} {
		r, err := run(t, context.Background(), what, large)
		if err != nil || r.Code != -1 || r.StdoutOver != (what == "flood") || r.StderrOver == (what == "flood") || len(r.Stdout)+len(r.Stderr) != 1000 {
			t.Errorf("%s: %d and %d bytes, %v", what, len(r.Stdout), len(r.Stderr), err)
		}
	}
}

func TestErrors(t *testing.T) {
	large := make([]byte, 1<<20)
	if r, err := run(t, context.Background(), "leave", large); !errors.Is(err, syscall.EPIPE) || !strings.HasPrefix(err.Error(), "write to ") || r.Code != -1 {
		t.Errorf("who does not read: %+v, %v", r, err)
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "absent"):   fs.ErrNotExist,
		"no-such-program-is-on-a-path": exec.ErrNotFound,
		text:                           syscall.ENOEXEC,
		dir:                            fs.ErrPermission,
	} {
		r, err := native.Run(context.Background(), native.Command{Path: path})
		if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "start "+path+": ") || r.Code != -1 {
			t.Errorf("%s: %+v, %v", path, r, err)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := run(t, gone, "echo", nil); err != context.Canceled || r.Code != -1 || len(r.Stdout) > 0 {
		t.Errorf("not started: %+v, %v", r, err)
	}
}

// TestLookup finds a name on PATH.
func TestLookup(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "say-hello"), []byte("#!/bin/sh\ncat; pwd\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	r, err := native.Run(context.Background(), native.Command{Path: "say-hello", Stdin: []byte("hi "), StdoutMax: 1 << 20})
	if err != nil || string(r.Stdout) != "hi "+here+"\n" || r.Code != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestCancelled stops what does not end by itself, with its children.
func TestCancelled(t *testing.T) {
	for _, what := range []string{"hang", "child", "stray", "closed"} {
		file := filepath.Join(t.TempDir(), "child")
		t.Setenv("NATIVE_TEST_CHILD", file)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			defer cancel()
			if what == "hang" || what == "closed" {
				return
			}
			for { // until the child is there
				if _, err := os.Stat(file); err == nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		r, err := run(t, ctx, what, make([]byte, 1<<20)) // nobody reads it
		if err != context.Canceled || r.Code != -1 {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
		switch what {
		case "child":
			gone(t, file)
		case "stray":
			_ = syscall.Kill(number(t, file), syscall.SIGKILL)
		}
	}
}

// TestOrphan leaves a child behind that has its pipes.
func TestOrphan(t *testing.T) {
	for _, what := range []string{"orphan", "stray orphan"} {
		file := filepath.Join(t.TempDir(), "child")
		t.Setenv("NATIVE_TEST_CHILD", file)
		r, err := run(t, context.Background(), what, nil)
		if err != nil || r.Code != 0 || string(r.Stdout) != "done" {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
		if what == "orphan" {
			gone(t, file)
		} else {
			_ = syscall.Kill(number(t, file), syscall.SIGKILL)
		}
	}
}

func number(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(b))
	if err != nil || n < 2 {
		t.Fatalf("%q, %v", b, err)
	}
	return n
}

// gone waits until a child of a process that was killed is no more, or is one that
// nobody has waited for.
func gone(t *testing.T, file string) {
	t.Helper()
	pid := number(t, file)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && bytes.Contains(stat, []byte(") Z ")) || syscall.Kill(pid, 0) != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}
