package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/mdlayher/vsock"
	"github.com/spf13/pflag"

	"carrel/door/nxcc"
	"carrel/socket"
)

// The modes of the server.
const (
	modeUDS   = "uds"
	modeTCP   = "tcp"
	modeVsock = "vsock"
)

// A server is where the service is to be had, and its flags.
type server struct {
	verbose             bool
	mode, path, address string
	cid, port           uint32
}

// serverVariables are those of the environment.
var serverVariables = map[string]string{
	"verbose": "NXCC_VM_VERBOSE", "server-mode": "NXCC_VM_SERVER_MODE", "server-uds-path": "NXCC_VM_SERVER_UDS_PATH",
	"server-vsock-cid": "NXCC_VM_SERVER_VSOCK_CID", "server-vsock-port": "NXCC_VM_SERVER_VSOCK_PORT", "server-tcp-addr": "NXCC_VM_SERVER_TCP_ADDR",
}

func newServer(flags *pflag.FlagSet) *server {
	s := &server{}
	flags.BoolVarP(&s.verbose, "verbose", "v", false, "log more")
	flags.StringVar(&s.mode, "server-mode", modeUDS, "listen on a Unix socket, uds, or on tcp or vsock")
	flags.StringVar(&s.path, "server-uds-path", "/tmp/vm_service.sock", "uds: the `path` of the socket; one that is there is removed")
	flags.Uint32Var(&s.cid, "server-vsock-cid", 3, "vsock: the context `id` of this machine; 4294967295 is any")
	flags.Uint32Var(&s.port, "server-vsock-port", 5000, "vsock: the `port`")
	flags.StringVar(&s.address, "server-tcp-addr", "127.0.0.1:8080", "tcp: the `address`. Whoever reaches it can start workers")
	return s
}

func (s *server) environment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		if name, ok := serverVariables[f.Name]; ok && err == nil {
			err = nxcc.FromVariable(flags, f.Name, name, lookup)
		}
	})
	if err == nil && !slices.Contains([]string{modeUDS, modeTCP, modeVsock}, s.mode) {
		err = fmt.Errorf("--server-mode: %q is not uds, tcp or vsock", s.mode)
	}
	return err
}

// listen listens. Closing removes a Unix socket.
func (s *server) listen(log *slog.Logger) (net.Listener, error) {
	switch s.mode {
	case modeUDS:
		return listenUnix(s.path, log)
	case modeTCP:
		return net.Listen("tcp", s.address)
	default:
		listener, err := vsock.ListenContextID(s.cid, s.port, nil)
		if err != nil {
			return nil, fmt.Errorf("listen on vsock %d:%d: %w", s.cid, s.port, err)
		}
		return listener, nil
	}
}

// listenUnix listens on a socket, in the place of one that is there.
func listenUnix(path string, log *slog.Logger) (net.Listener, error) {
	if socket.Live(path) {
		log.Warn("another process listens here: its socket is replaced", "path", path)
	}
	return socket.Listen(path)
}

func isUsage(err error) bool { return errors.As(err, &usageError{}) }

const (
	// streamsMax bounds the calls of one connection that are under way.
	streamsMax = 4096
	// graceful is how long calls that are under way have when the server ends.
	graceful = 15 * time.Second
)

// serveHTTP serves until the context is done, and all that was begun has ended or had
// its time. There is no HTTP/1: a browser that was led here cannot talk to it.
func serveHTTP(ctx context.Context, listener net.Listener, vm *nxcc.VM, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.Handle(vm.Handler())
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{Handler: mux, Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: streamsMax}, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	vm.Drain()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
	defer cancel()
	if err := s.Shutdown(stopping); err != nil {
		log.Warn("calls went on, and are cut off", "after", graceful)
		return s.Close()
	}
	return nil
}
