package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"carrel/api/nxcc/vm"
	"carrel/npm/zenroom"
)

// TestMain makes a home for all tests: what is compiled in one is there for the next.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "carrel-nxcc-*")
	if err != nil {
		panic(err)
	}
	os.Setenv("CARREL_HOME", home)
	os.Setenv("ZENROOM_CACHE_DIR", filepath.Join(home, "tools"))
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}

// zenroomHome puts the engine where it is looked for, as make programs has fetched it.
func zenroomHome(t testing.TB) {
	t.Helper()
	engine, err := os.ReadFile("../../.cache/programs/" + zenroom.FileName)
	if err != nil {
		t.Fatalf("the engine is not there: run make programs (%v)", err)
	}
	dir := zenroom.Published.Dir(os.Getenv("ZENROOM_CACHE_DIR"))
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, zenroom.FileName), engine, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// A service is nxcc-zenroom-vm under way, and a client of it that knows nothing of
// ours but the protobuf.
type service struct {
	t      testing.TB
	conn   *grpc.ClientConn
	socket string
	stdout *lockedBuffer
	stop   func() int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t testing.TB, env map[string]string, args ...string) *service {
	t.Helper()
	zenroomHome(t)
	s := &service{t: t, socket: filepath.Join(t.TempDir(), "vm.sock"), stdout: &lockedBuffer{}}
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	ctx, cancel := context.WithCancel(context.Background())
	ended, code := make(chan struct{}), 0
	go func() {
		defer close(ended)
		code = run(ctx, append([]string{"--server-mode", "uds", "--server-uds-path", s.socket}, args...), lookup, s.stdout, s.stdout)
	}()
	s.stop = sync.OnceValue(func() int { cancel(); <-ended; return code })
	for { // until it is ready: the socket accepts
		conn, err := net.Dial("unix", s.socket)
		if err == nil {
			conn.Close()
			break
		}
		select {
		case <-ended:
			t.Fatalf("it ended with %d\n%s", code, s.stdout)
		case <-time.After(time.Millisecond):
		}
	}
	var err error
	s.conn, err = grpc.NewClient("unix:"+s.socket, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("[::]:50051"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.conn.Close()
		if code := s.stop(); code != 0 {
			t.Errorf("it ended with %d\n%s", code, s.stdout)
		}
	})
	return s
}

// call calls a method, which must be answered.
func call[Answer any, A interface {
	*Answer
	proto.Message
}](s *service, method string, request proto.Message) *Answer {
	s.t.Helper()
	answer := new(Answer)
	if err := s.conn.Invoke(s.t.Context(), "/vm.Vm/"+method, request, A(answer)); err != nil {
		s.t.Fatalf("%s: %v\n%s", method, err, s.stdout)
	}
	return answer
}

// fails calls a method, which must fail.
func (s *service) fails(method string, request, answer proto.Message, code codes.Code, message string) {
	s.t.Helper()
	err := s.conn.Invoke(s.t.Context(), "/vm.Vm/"+method, request, answer)
	if got := status.Convert(err); got.Code() != code || got.Message() != message {
		s.t.Errorf("%s: %v, want %v %s", method, err, code, message)
	}
}

func (s *service) worker(id, script, userdata string, secrets map[string][]byte) string {
	s.t.Helper()
	answer := call[vm.StartWorkerResponse](s, "StartWorker", &vm.StartWorkerRequest{
		WorkerId: id, WorkerCode: []byte(script), UntrustedConfig: &vm.UntrustedConfig{UserdataJson: userdata}, TrustedConfig: &vm.TrustedConfig{Secrets: secrets},
	})
	if !answer.Success || answer.ErrorMessage != "" {
		s.t.Fatalf("start: %v", answer)
	}
	return answer.Id
}

// logs streams the log of a worker.
func (s *service) logs(request *vm.StreamWorkerLogsRequest, each func(*vm.StreamWorkerLogsResponse) bool) error {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/vm.Vm/StreamWorkerLogs")
	if err != nil {
		return err
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil {
		return err
	}
	for {
		line := &vm.StreamWorkerLogsResponse{}
		if err := stream.RecvMsg(line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !each(line) {
			return nil
		}
	}
}

const (
	hello  = "Given that I have a 'string' named 'greeting'\nThen print the 'greeting'\n"
	launch = `{"handler":"run","event_payload":null}`
)

// TestMethods calls all ten methods.
func TestMethods(t *testing.T) {
	s := start(t, nil)
	id := s.worker("order", hello, `{"zenroom": {"inputs": {"data": {"greeting": "hi"}}, "http": {"response_mode": "stdout"}}}`, nil)
	if id != "order" {
		t.Errorf("its id is %s", id)
	}

	if got := call[vm.ListRunningWorkersResponse](s, "ListRunningWorkers", &vm.ListRunningWorkersRequest{}); !slices.Equal(got.Ids, []string{"order"}) {
		t.Errorf("running: %v", got)
	}
	if got := call[vm.GetWorkerStatusResponse](s, "GetWorkerStatus", &vm.GetWorkerStatusRequest{Id: "order"}); got.Status != vm.WorkerStatus_WORKER_STATUS_RUNNING || !got.Success || got.Id != "order" {
		t.Errorf("status: %v", got)
	}
	if got := call[vm.ProbeWorkerResponse](s, "ProbeWorker", &vm.ProbeWorkerRequest{Id: "order"}); got.Status != vm.WorkerStatus_WORKER_STATUS_RUNNING || got.StatusMessage != "Worker status: Running" {
		t.Errorf("probe: %v", got)
	}

	got := call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: "order", Payload: []byte(launch), HandlerName: "run"})
	if !got.Success || !strings.HasPrefix(string(got.Result), `{"ok":true,"error":null,"zenroom":{"exit_code":0,"stdout":"{\"greeting\":\"hi\"}\n","stderr":"[ `) {
		t.Errorf("invoke: %v", got)
	}
	got = call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: "order", Payload: []byte("[]"), HandlerName: "_policy"})
	if !got.Success || !strings.HasPrefix(string(got.Result), `{"ok":false,"error":{"code":"invalid_event_payload",`) {
		t.Errorf("a policy: %v", got)
	}

	http := call[vm.InvokeHttpResponse](s, "InvokeHttp", &vm.InvokeHttpRequest{WorkerId: "order", Request: &vm.HttpRequest{Method: "GET", Uri: "/x", Headers: []*vm.Header{{Key: "host", Value: []byte("h")}}}})
	if r := http.Response; r.StatusCode != 200 || string(r.Body) != "{\"greeting\":\"hi\"}\n" || len(r.Headers) != 1 || r.Headers[0].Key != "content-type" || string(r.Headers[0].Value) != "application/json" {
		t.Errorf("HTTP: %v", http)
	}

	if got := call[vm.GetWorkerLogsResponse](s, "GetWorkerLogs", &vm.GetWorkerLogsRequest{Id: "order"}); !got.Success || !strings.HasPrefix(got.Logs, "stdout: {\"greeting\":\"hi\"}\nstderr: [ ") {
		t.Errorf("log: %v", got)
	}
	var lines []string
	if err := s.logs(&vm.StreamWorkerLogsRequest{Id: "order"}, func(line *vm.StreamWorkerLogsResponse) bool {
		lines = append(lines, fmt.Sprint(line.LogLine[:8], line.IsHistorical, line.TimestampMs > 1e12))
		return true
	}); err != nil || fmt.Sprint(lines) != "[stdout: true true stderr: true true]" {
		t.Errorf("streamed: %v, %v", lines, err)
	}
	lines = nil
	if err := s.logs(&vm.StreamWorkerLogsRequest{Id: "order", TailLines: 1, Follow: true}, func(line *vm.StreamWorkerLogsResponse) bool {
		if lines = append(lines, fmt.Sprint(line.LogLine[:8], line.IsHistorical)); len(lines) == 1 {
			call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: "order", Payload: []byte(launch), HandlerName: "run"})
		}
		return len(lines) < 3
	}); err != nil || fmt.Sprint(lines) != "[stderr: true stdout: false stderr: false]" {
		t.Errorf("followed: %v, %v", lines, err)
	}

	if got := call[vm.StopWorkerResponse](s, "StopWorker", &vm.StopWorkerRequest{Id: "order"}); !got.Success {
		t.Errorf("stop: %v", got)
	}
	if got := call[vm.GetWorkerStatusResponse](s, "GetWorkerStatus", &vm.GetWorkerStatusRequest{Id: "order"}); got.Status != vm.WorkerStatus_WORKER_STATUS_STOPPED || !got.Success {
		t.Errorf("status: %v", got)
	}
	if got := call[vm.GetWorkerLogsResponse](s, "GetWorkerLogs", &vm.GetWorkerLogsRequest{Id: "order"}); !got.Success || got.Logs == "" {
		t.Errorf("log, stopped: %v", got)
	}
	s.fails("GetAttestation", &vm.GetAttestationRequest{}, &vm.GetAttestationResponse{}, codes.Internal, "Failed to get attestation: Attestation not supported")
}

// TestErrors has what the methods fail by, in nXCC's words.
func TestErrors(t *testing.T) {
	s := start(t, nil, "--max-script-bytes", "100")
	if got := call[vm.StartWorkerResponse](s, "StartWorker", &vm.StartWorkerRequest{WorkerCode: make([]byte, 101)}); got.Success || got.ErrorMessage != "Script size 101 exceeds max 100" || got.Id != "" {
		t.Errorf("start: %v", got)
	}
	if got := call[vm.StopWorkerResponse](s, "StopWorker", &vm.StopWorkerRequest{Id: "x"}); got.Success || got.ErrorMessage != "Worker not found: x" {
		t.Errorf("stop: %v", got)
	}
	if got := call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: "x"}); got.Success || got.ErrorMessage != "Worker not found: x" {
		t.Errorf("invoke: %v", got)
	}
	if got := call[vm.GetWorkerStatusResponse](s, "GetWorkerStatus", &vm.GetWorkerStatusRequest{Id: "x"}); got.Success || got.ErrorMessage != "Worker not found: x" || got.Status != 0 {
		t.Errorf("status: %v", got)
	}
	if got := call[vm.GetWorkerLogsResponse](s, "GetWorkerLogs", &vm.GetWorkerLogsRequest{Id: "x"}); got.Success || got.ErrorMessage != "Worker not found: x" {
		t.Errorf("log: %v", got)
	}
	s.fails("InvokeHttp", &vm.InvokeHttpRequest{WorkerId: "x"}, &vm.InvokeHttpResponse{}, codes.InvalidArgument, "Missing HttpRequest in InvokeHttpRequest")
	s.fails("InvokeHttp", &vm.InvokeHttpRequest{WorkerId: "x", Request: &vm.HttpRequest{}}, &vm.InvokeHttpResponse{}, codes.Internal, "HTTP invocation failed: Worker not found: x")
	s.fails("ProbeWorker", &vm.ProbeWorkerRequest{Id: "x"}, &vm.ProbeWorkerResponse{}, codes.Internal, "Failed to probe worker: Worker not found: x")
	s.fails("NoSuchMethod", &vm.ProbeWorkerRequest{}, &vm.ProbeWorkerResponse{}, codes.Unimplemented, "unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type \"text/plain; charset=utf-8\"")
	err := s.logs(&vm.StreamWorkerLogsRequest{Id: "x"}, func(*vm.StreamWorkerLogsResponse) bool { return true })
	if got := status.Convert(err); got.Code() != codes.Internal || got.Message() != "Failed to stream worker logs: Worker not found: x" {
		t.Errorf("stream: %v", err)
	}
}

// A receiver takes the body of what is posted to it.
func receiver(t *testing.T) (url, port string, got func() (string, http.Header)) {
	type post struct {
		body   string
		header http.Header
	}
	posts := make(chan post, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts <- post{string(body), r.Header}
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return server.URL, port, func() (string, http.Header) { p := <-posts; return p.body, p.header }
}

// allowed is an environment in which postbacks may go to a port of this host.
func allowed(port string) map[string]string {
	return map[string]string{
		"NXCC_ZENROOM_VM_POSTBACK_ENABLED": "true", "NXCC_ZENROOM_VM_POSTBACK_ALLOWED_HOST_SUFFIXES": "127.0.0.1,localhost",
		"NXCC_ZENROOM_VM_POSTBACK_ALLOWED_SCHEMES": "http", "NXCC_ZENROOM_VM_POSTBACK_ALLOWED_PORTS": port, "NXCC_ZENROOM_VM_POSTBACK_BLOCK_PRIVATE_IPS": "false",
		"NXCC_ZENROOM_VM_MAX_STDOUT_BYTES": "1048576", "NXCC_ZENROOM_VM_MAX_STDERR_BYTES": "1048576", "NXCC_ZENROOM_VM_MAX_SCRIPT_BYTES": "1048576",
	}
}

// TestEndToEnd is nXCC's own script of that name, as far as the VM is concerned: a
// worker with the hello script posts what it says, and one with a secret what is
// derived of that.
func TestEndToEnd(t *testing.T) {
	url, port, got := receiver(t)
	s := start(t, allowed(port), "--verbose")
	script, err := base64.StdEncoding.DecodeString("R2l2ZW4gdGhhdCBJIGhhdmUgYSAnbnhjYycKVGhlbiBwcmludCB0aGUgc3RyaW5nICdIZWxsb19Xb3JsZCcK")
	if err != nil {
		t.Fatal(err)
	}
	target := `"postback": {"enabled": true, "required": true, "targets": [{"kind": "http", "url": "` + url + `", "body": {"from": "stdout", "json_pointer": "POINTER"}}]}`
	id := s.worker("hello-order", string(script), `{"zenroom": {"conf": "debug=0", "output": {"json_pointer": "/output/0"}}, `+strings.Replace(target, "POINTER", "/output/0", 1)+`}`, nil)
	answer := call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: id, Payload: []byte(launch), HandlerName: "run"})
	body, header := got()
	if body != `"Hello_World"` || header.Get("Content-Type") != "application/json" || header.Get("Idempotency-Key") == "" {
		t.Errorf("posted %s %v\n%s", body, header, answer.Result)
	}
	if logs := call[vm.GetWorkerLogsResponse](s, "GetWorkerLogs", &vm.GetWorkerLogsRequest{Id: "hello-order"}); !strings.Contains(logs.Logs, "Hello_World") || !strings.Contains(logs.Logs, "postback[0]: http status=200") {
		t.Errorf("log: %s", logs.Logs)
	}

	secrets := map[string]map[string][]byte{}
	first := make([]byte, 32)
	for n := range first {
		first[n] = byte(n)
	}
	secrets["777"], secrets["777 again"] = map[string][]byte{"ZENROOM_SECRET": first}, map[string][]byte{"ZENROOM_SECRET": slices.Clone(first)}
	secrets["778"] = map[string][]byte{"ZENROOM_SECRET": make([]byte, 32)}
	posted := map[string]string{}
	for name, held := range secrets {
		id := s.worker(name, "Given I have a 'base64' named 'injected_secret'\nThen print the 'injected_secret'\n",
			`{"zenroom": {"inputs": {"keys": {"injected_secret": {"$secret": "ZENROOM_SECRET", "encoding": "base64", "kdf": {"info": "nxcc-zenroom-e2e", "len": 16}}}}}, `+strings.Replace(target, "POINTER", "/injected_secret", 1)+`}`, held)
		answer := call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: id, Payload: []byte(launch), HandlerName: "run"})
		if posted[name], _ = got(); !strings.Contains(string(answer.Result), strings.Trim(posted[name], `"`)) { // since the script prints it
			t.Errorf("posted %s, and the envelope is %s", posted[name], answer.Result)
		}
	}
	if posted["777"] != `"NGHm/gEakf5fv/xQL2Reaw=="` || posted["777 again"] != posted["777"] || posted["778"] == posted["777"] {
		t.Errorf("posted %v", posted)
	}
	if text := s.stdout.String(); strings.Contains(text, "NGHm/gEakf5fv") || strings.Contains(text, base64.StdEncoding.EncodeToString(first)) {
		t.Errorf("it logs a secret:\n%s", text)
	}
}

// TestWarning has $secret in the data warned of.
func TestWarning(t *testing.T) {
	s := start(t, nil)
	s.worker("w", hello, `{"zenroom": {"inputs": {"data": {"a": [{"$secret": "S"}]}}}}`, nil)
	if text := s.stdout.String(); !strings.Contains(text, "$secret stands in inputs.data") {
		t.Error(text)
	}
}

// TestHundred has a hundred invocations at once, of ten workers.
func TestHundred(t *testing.T) {
	s := start(t, nil, "--max-running", "2")
	for n := range 10 {
		s.worker(strconv.Itoa(n), hello, fmt.Sprintf(`{"zenroom": {"inputs": {"data": {"greeting": "%d"}}, "http": {"response_mode": "stdout"}}}`, n), nil)
	}
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			id := strconv.Itoa(n % 10)
			answer := &vm.InvokeHttpResponse{}
			err := s.conn.Invoke(t.Context(), "/vm.Vm/InvokeHttp", &vm.InvokeHttpRequest{WorkerId: id, Request: &vm.HttpRequest{Method: "POST", Uri: "/"}}, answer)
			if err != nil || answer.Response.StatusCode != 200 || string(answer.Response.Body) != "{\"greeting\":\""+id+"\"}\n" {
				t.Errorf("%d: %v %v", n, err, answer)
			}
		})
	}
	all.Wait()
}

// TestSettings has flags come before variables, and what cannot be be refused.
func TestSettings(t *testing.T) {
	s := start(t, map[string]string{"NXCC_ZENROOM_VM_MAX_SCRIPT_BYTES": "1", "NXCC_ZENROOM_VM_MAX_CONF_BYTES": "7", "NXCC_VM_SERVER_UDS_PATH": "/nowhere/x.sock", "RUST_LOG": "warn"}, "--max-script-bytes", "1000")
	id := s.worker("", hello, `{"zenroom": {"conf": "scope=full"}}`, nil)
	got := call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: id, Payload: []byte(launch), HandlerName: "run"})
	if !strings.Contains(string(got.Result), "Zenroom conf length 18 exceeds max 7") {
		t.Errorf("%s", got.Result)
	}
	if text := s.stdout.String(); text != "" {
		t.Errorf("it logs, and only warnings are asked for:\n%s", text)
	}
	for _, c := range []struct {
		args, env string
		code      int
		want      string
	}{
		{"--server-mode carrier-pigeon", "", 2, `--server-mode: "carrier-pigeon" is not uds, tcp or vsock`},
		{"--exec-timeout-ms soon", "", 2, `invalid argument "soon" for "--exec-timeout-ms"`},
		{"--no-such", "", 2, "unknown flag: --no-such"},
		{"", "NXCC_ZENROOM_VM_POSTBACK_ENABLED=1", 2, `NXCC_ZENROOM_VM_POSTBACK_ENABLED: "1" is neither true nor false`},
		{"", "NXCC_ZENROOM_VM_POSTBACK_ENABLED=yes", 2, "NXCC_ZENROOM_VM_POSTBACK_ENABLED: "},
		{"", "NXCC_ZENROOM_VM_POSTBACK_ALLOWED_PORTS=443,70000", 2, "NXCC_ZENROOM_VM_POSTBACK_ALLOWED_PORTS: 70000 is no port"},
		{"", "NXCC_VM_SERVER_VSOCK_PORT=-1", 2, "NXCC_VM_SERVER_VSOCK_PORT: "},
		{"--max-stdout-bytes -1", "", 2, "--max-stdout-bytes: -1 is not from 0 to"},
		{"--memory 9T", "", 2, "--memory"},
		{"--runtime docker", "", 2, `"docker" is no runtime: auto, wasm or native`},
		{"--engine v8", "", 2, `--engine "v8" is no engine`},
		{"--postback-sign-key main.go", "", 2, "--postback-sign-key: main.go is no PEM file"},
		{"--server-uds-path .", "", 1, "it is there and no socket: it is not removed"},
		{"--server-uds-path /nowhere/x.sock", "", 1, "/nowhere/x.sock"},
		{"extra", "", 2, `"extra": there are no arguments, only flags`},
		{"--verbose true", "", 2, `"true": there are no arguments, only flags`},
		{"--exec-timeout-ms 0", "", 2, "--exec-timeout-ms: 0 milliseconds are too few"},
		{"", "NXCC_ZENROOM_VM_MAX_STDOUT_BYTES=-5", 2, "NXCC_ZENROOM_VM_MAX_STDOUT_BYTES: -5 is not from 0 to"},
		{"--receipts r --lua-exec-path x", "", 2, "what executables do has no receipt"},
	} {
		var out bytes.Buffer
		name, value, _ := strings.Cut(c.env, "=")
		lookup := func(asked string) (string, bool) { return value, asked == name && name != "" }
		code := run(t.Context(), strings.Fields(c.args), lookup, io.Discard, &out)
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.args, c.env, code, &out, c.code, c.want)
		}
	}
}

// TestSocket has the socket be removed in the end.
func TestSocket(t *testing.T) {
	s := start(t, nil)
	if code := s.stop(); code != 0 {
		t.Errorf("it ended with %d\n%s", code, s.stdout)
	}
	if _, err := os.Lstat(s.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its socket is left: %v", err)
	}
}

// TestEnd has the service end well while somebody follows a log.
func TestEnd(t *testing.T) {
	s := start(t, nil)
	s.worker("w", hello, "", nil)
	call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: "w", Payload: []byte(launch), HandlerName: "run"})
	following, followed := make(chan struct{}), make(chan error)
	go func() {
		once := sync.OnceFunc(func() { close(following) })
		followed <- s.logs(&vm.StreamWorkerLogsRequest{Id: "w", Follow: true}, func(*vm.StreamWorkerLogsResponse) bool { once(); return true })
	}()
	<-following
	if code := s.stop(); code != 0 || strings.Contains(s.stdout.String(), "cut off") {
		t.Errorf("it ended with %d\n%s", code, s.stdout)
	}
	if err := <-followed; err != nil {
		t.Errorf("who followed was told %v", err)
	}
}

// TestReceipts has receipts of invocations kept, and sent along with postbacks that are
// signed.
func TestReceipts(t *testing.T) {
	url, port, got := receiver(t)
	dir := t.TempDir()
	key := filepath.Join(dir, "key.pem")
	if err := os.WriteFile(key, []byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, allowed(port), "--receipts", filepath.Join(dir, "receipts"), "--postback-sign-key", key, "--postback-receipt")
	secret := []byte("correct horse battery staple 123")
	id := s.worker("a/b", "Given I have a 'string' named 'k'\nThen print the string 'x'\n", `{"zenroom": {"inputs": {"keys": {"k": {"$secret": "S"}}}}, "postback": {"enabled": true, "targets": [{"kind": "http", "url": "`+url+`"}]}}`, map[string][]byte{"S": slices.Clone(secret)})
	answer := call[vm.InvokeWorkerResponse](s, "InvokeWorker", &vm.InvokeWorkerRequest{Id: id, Payload: []byte(launch), HandlerName: "run"})
	_, header := got()
	sent, err := base64.StdEncoding.DecodeString(header.Get("Carrel-Receipt"))
	if err != nil || header.Get("Signature") == "" || header.Get("Signature-Input") == "" {
		t.Fatalf("sent %v, %v\n%s", header, err, answer.Result)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "receipts", "a_b", "*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v, %v\n%s", kept, err, s.stdout)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil || !bytes.Equal(text, sent) {
		t.Errorf("kept\n%s\nsent\n%s\n%v", text, sent, err)
	}
	var envelope struct{ Payload []byte }
	if err := json.Unmarshal(text, &envelope); err != nil || !bytes.Contains(envelope.Payload, []byte(`"secrets":[{"commitment":"sha256:`)) {
		t.Errorf("%s, %v", envelope.Payload, err)
	}
	if err := filepath.WalkDir(os.Getenv("CARREL_HOME"), func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		for _, form := range []string{string(secret), base64.StdEncoding.EncodeToString(secret), hex.EncodeToString(secret)} {
			if bytes.Contains(content, []byte(form)) {
				t.Errorf("%s has the secret", name)
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// BenchmarkInvoke is one invocation of the service by a client of gRPC: with an
// instance that was prepared, with none, and a hundred at once.
func BenchmarkInvoke(b *testing.B) {
	for name, args := range map[string][]string{"prepared": nil, "unprepared": {"--prepared", "-1"}, "hundred": nil} {
		b.Run(name, func(b *testing.B) {
			s := start(b, map[string]string{"RUST_LOG": "warn"}, args...)
			at := 1
			if name == "hundred" {
				at = 100
			}
			for n := range at {
				s.worker(strconv.Itoa(n), hello, `{"zenroom": {"inputs": {"data": {"greeting": "hi"}}}}`, nil)
			}
			invoke := func(n int) {
				answer := &vm.InvokeWorkerResponse{}
				err := s.conn.Invoke(b.Context(), "/vm.Vm/InvokeWorker", &vm.InvokeWorkerRequest{Id: strconv.Itoa(n), Payload: []byte(launch), HandlerName: "run"}, answer)
				if err != nil || !answer.Success || !bytes.HasPrefix(answer.Result, []byte(`{"ok":true`)) {
					b.Errorf("%v %v", err, answer)
				}
			}
			invoke(0)
			for b.Loop() {
				if at == 1 {
					b.StopTimer()
					time.Sleep(30 * time.Millisecond) // it is prepared meanwhile
					b.StartTimer()
				}
				var all sync.WaitGroup
				for n := range at {
					all.Go(func() { invoke(n) })
				}
				all.Wait()
			}
		})
	}
}
