// Command xsnap-worker is a JavaScript worker in the place of xsnap's: it is
// started by who uses npm's @agoric/xsnap, and by package client/xsnap.
//
// It needs the engine of JavaScript, which it fetches through npm when it is first
// started. That, compiled code and the start of every worker are kept where carrel
// keeps them: see CARREL_HOME.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"carrel/door/xsnap"
	"carrel/npm/quickjs"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	signal.Ignore(syscall.SIGPIPE) // writes then fail, and the door says so
	options, code, done := xsnap.ParseOptions(args, stdout, "carrel with "+quickjs.Describe())
	if done {
		return code
	}
	host := xsnap.Host{
		Stdout: stdout, Stderr: stderr, Now: time.Now,
		Open: open, Create: create, Module: module,
		Engine: func() (xsnap.Engine, error) { return findEngine(stderr) },
	}
	for _, d := range []struct {
		number int
		what   string
		set    func(*os.File)
	}{
		{3, "from", func(f *os.File) { host.Commands = f }},
		{4, "to", func(f *os.File) { host.Replies = f }},
	} {
		if _, err := status(d.number); err != nil {
			fmt.Fprintf(stderr, "fdopen(%d) %s parent failed\n", d.number, d.what)
			return xsnap.ExitIO
		}
		d.set(os.NewFile(uintptr(d.number), d.what+" parent"))
	}
	host.Gone = gone(4)
	return xsnap.Serve(options, host)
}
