package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"carrel/home"
	"carrel/toolchain"
	"carrel/toolchain/daemon"
	"carrel/turn"
)

// backgroundVariable says how long the compiler stays loaded without a command, or
// that it does not.
const backgroundVariable = "CARREL_BACKGROUND"

// backgroundIdle is how long the background process stays without a command.
const backgroundIdle = time.Minute

// socketPathMax is how long the path of a socket may be wherever carrel runs.
const socketPathMax = 103

// background is where the process in the background is met, or would be.
type background struct {
	socket string
	idle   time.Duration
}

// findBackground tells where the background process of this user, this build of
// carrel, this home and an engine is met; nil if there is to be none.
func findBackground(engine engineName) (*background, error) {
	b := &background{idle: backgroundIdle}
	if asked := os.Getenv(backgroundVariable); asked == "off" {
		return nil, nil
	} else if asked != "" {
		var err error
		if b.idle, err = time.ParseDuration(asked); err != nil || b.idle <= 0 {
			return nil, fmt.Errorf("%s: %q is neither off nor a time, as in 5m", backgroundVariable, asked)
		}
	}
	h, err := home.Find()
	if err != nil {
		return nil, err
	}
	name, err := os.Executable()
	if err != nil {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil
	}
	dir, err := socketDir()
	if err != nil {
		return nil, nil // it is only faster with it
	}
	id := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %q %q %q", name, info.Size(), info.ModTime().UnixNano(), engine, h.Code, h.Tools))
	if b.socket = filepath.Join(dir, hex.EncodeToString(id[:8])); len(b.socket) > socketPathMax {
		return nil, nil
	}
	return b, nil
}

// socketDir is a directory that only this user can enter, with a short path.
func socketDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("carrel-%d", os.Getuid()))
	if run := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(run) {
		dir = filepath.Join(run, "carrel")
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(owner.Uid) != os.Getuid() || info.Mode().Perm() != 0o700 {
		return "", fmt.Errorf("%s is not a directory of this user alone", dir)
	}
	return dir, nil
}

// start starts the process, if it can be: commands do without it.
func (b *background) start() {
	name, err := os.Executable()
	if err != nil || closeOnExec() != nil {
		return
	}
	cmd := exec.Cmd{
		Path: name, Args: []string{"carrel", backgroundCommand().Name()}, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if cmd.Start() == nil {
		_ = cmd.Process.Release()
	}
}

// closeOnExec keeps files that this process was handed, beside the standard
// streams, from those that it starts: who reads from a pipe would wait for the
// background process to end.
func closeOnExec() error {
	fds, err := os.ReadDir("/dev/fd")
	if err != nil {
		return err
	}
	for _, fd := range fds {
		if n, err := strconv.Atoi(fd.Name()); err == nil && n > 2 {
			unix.CloseOnExec(n)
		}
	}
	return nil
}

// backgroundCommand is the process itself.
func backgroundCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "background",
		Short:  "Keep the compiler loaded for other commands, until it is idle",
		Hidden: true,
		Args:   exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			engine, err := toolEngine()
			if err != nil {
				return err
			}
			b, err := findBackground(engine)
			if err != nil || b == nil {
				return err
			}
			lock, err := os.OpenFile(b.socket+".lock", os.O_CREATE|os.O_RDWR, 0o600)
			if err != nil {
				return err
			}
			defer lock.Close()
			if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
				return nil // there is one
			}
			return b.serve(cmd, engine)
		},
	}
}

func (b *background) serve(cmd *cobra.Command, engine engineName) error {
	ctx, stop := interrupted(cmd.Context())
	defer stop()
	chain, closing, err := openToolchain(ctx, cmd, engine)
	if err != nil {
		return err
	}
	defer closing()
	// The program is loaded before anybody waits for it.
	if _, err := chain.Run(ctx, &toolchain.Command{
		Tool: "cc", Args: []string{"-###"}, Dir: "/", Limits: turn.Limits{Fuel: toolFuel, MemoryPages: turn.MemoryPagesMax},
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
	}); err != nil {
		return err
	}
	if err := remove(b.socket); err != nil { // of one that crashed
		return err
	}
	listener, err := net.Listen("unix", b.socket)
	if err != nil {
		return err
	}
	server := &daemon.Server{Run: chain.Run, Jobs: runtime.GOMAXPROCS(0), Idle: b.idle}
	return server.Serve(ctx, listener)
}
