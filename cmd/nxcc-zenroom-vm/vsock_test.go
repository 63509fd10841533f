package main

import (
	"context"
	"io"
	"net"
	"strconv"
	"testing"

	"github.com/mdlayher/vsock"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"carrel/api/nxcc/vm"
)

// TestVsock serves by vsock, where the kernel can talk to itself by it.
func TestVsock(t *testing.T) {
	const port = 47_113
	s := &server{mode: modeVsock, cid: vsock.Local, port: port}
	log := newLogger(io.Discard, false, func(string) (string, bool) { return "", false })
	listener, err := s.listen(log)
	if err != nil {
		t.Skipf("this kernel has no vsock to itself: %v", err)
	}
	probe := make(chan error)
	go func() {
		conn, err := vsock.Dial(vsock.Local, port, nil)
		if err == nil {
			conn.Close()
		}
		probe <- err
	}()
	if err := <-probe; err != nil {
		listener.Close()
		t.Skipf("this kernel has no vsock to itself: %v", err)
	}
	listener.Close()

	zenroomHome(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"--server-mode", "vsock", "--server-vsock-cid", "1", "--server-vsock-port", strconv.Itoa(port)}, func(string) (string, bool) { return "", false }, io.Discard, io.Discard)
	}()
	conn, err := grpc.NewClient("passthrough:vsock", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return vsock.Dial(vsock.Local, port, nil) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer := &vm.ListRunningWorkersResponse{}
	if err := conn.Invoke(t.Context(), "/vm.Vm/ListRunningWorkers", &vm.ListRunningWorkersRequest{}, answer, grpc.WaitForReady(true)); err != nil {
		t.Error(err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("it ended with %d", code)
	}
}
