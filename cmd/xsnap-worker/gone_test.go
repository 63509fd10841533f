package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"carrel/client/xsnap/xsnaptest"
	"carrel/door/xsnap"
	"carrel/netstring"
)

// TestGone has a worker end whose parent dies while it runs what has no end.
func TestGone(t *testing.T) {
	path := xsnaptest.Worker(t)
	for _, command := range []string{"efor (;;);", "ePromise.resolve().then(function again() { return Promise.resolve().then(again) })"} {
		fromParent, commands, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		replies, toParent, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		worker := exec.Command(path, "gone")
		worker.ExtraFiles = []*os.File{fromParent, toParent}
		var stderr strings.Builder
		worker.Stderr = &stderr
		if err := worker.Start(); err != nil {
			t.Fatal(err)
		}
		fromParent.Close()
		toParent.Close()
		if _, err := commands.Write(netstring.Append(nil, []byte("e0"), nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := replies.Read(make([]byte, 1)); err != nil { // it has begun
			t.Fatal(err)
		}
		if _, err := commands.Write(netstring.Append(nil, []byte(command))); err != nil {
			t.Fatal(err)
		}
		commands.Close()
		replies.Close()
		failed := (*exec.ExitError)(nil)
		if err := worker.Wait(); !errors.As(err, &failed) || failed.ExitCode() != xsnap.ExitIO || stderr.String() != "Caught SIGPIPE. Has parent died?\n" {
			t.Errorf("%s: %v, %q", command, err, &stderr)
		}
	}
}
