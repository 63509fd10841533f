package nxcc

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carrel/egress"
	"carrel/guest/zencode/secret"
)

// An echo executor answers what a test says.
type echo struct {
	mu   sync.Mutex
	jobs []*Job
	do   func(ctx context.Context, job *Job) *Execution
}

func (e *echo) Execute(ctx context.Context, job *Job) *Execution {
	e.mu.Lock()
	e.jobs = append(e.jobs, job)
	e.mu.Unlock()
	if e.do == nil {
		return &Execution{Stdout: []byte("{}\n")}
	}
	return e.do(ctx, job)
}

func (e *echo) Expect(*Job)  {}
func (e *echo) Close() error { return nil }

// prints is an executor whose scripts print a text.
func prints(stdout string) *echo {
	return &echo{do: func(context.Context, *Job) *Execution {
		return &Execution{Stdout: []byte(stdout), Stderr: []byte("log\n")}
	}}
}

// usual are the options of a test.
func usual() Options {
	return Options{
		Timeout: time.Minute, StdoutMax: 1 << 18, StderrMax: 1 << 18, ScriptMax: 1000, ConfMax: 4096, Secrets: secret.Defaults,
		Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Egress: egress.New(egress.Options{}),
	}
}

func start(t *testing.T, executor Executor, options Options, s Start) *Worker {
	t.Helper()
	if s.Script == nil {
		s.Script = []byte("Given nothing\nThen print data\n")
	}
	w, err := NewVM(executor, options).Start(&s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

const launch = `{"handler": "run", "event_payload": null}`

func invoke(t *testing.T, w *Worker) *Envelope {
	t.Helper()
	e, err := w.Event(t.Context(), []byte(launch), "run")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var millisOf = regexp.MustCompile(`"(total_ms|duration_ms)":[0-9]+`)

// TestEnvelope has the fields of an envelope in their order.
func TestEnvelope(t *testing.T) {
	w := start(t, prints("{\"b\": 1e2, \"a\": [\"<x>\"]}\n"), usual(), Start{Userdata: `{"zenroom": {"output": {"json_pointer": "/a/0"}}}`})
	got := millisOf.ReplaceAllString(string(invoke(t, w).JSON()), `"$1":0`)
	const want = `{"ok":true,"error":null,"zenroom":{"exit_code":0,"stdout":"{\"b\": 1e2, \"a\": [\"<x>\"]}\n","stderr":"log\n","stdout_json":{"a":["<x>"],"b":1e2},"stdout_overflowed":false,"stderr_overflowed":false},"selected_output":"<x>","postbacks":[],"timing":{"total_ms":0}}`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestJob has a job hold what the worker was started with.
func TestJob(t *testing.T) {
	x := &echo{}
	options := usual()
	options.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	w := start(t, x, options, Start{
		WorkerID: "order", Script: []byte("print(1)"), Secrets: map[string][]byte{"S": {1, 2, 3}}, Limits: Limits{MemoryMB: 64, RuntimeSeconds: 3},
		Userdata: `{"zenroom": {"mode": "lua", "conf": "scope=full", "inputs": {"data": {"d": 1}, "keys": {"z": {"$secret": "S"}, "a": 1}, "extra": [2], "context": "c"}}}`,
	})
	invoke(t, w)
	got := x.jobs[0]
	for name, pair := range map[string][2]any{
		"lua": {got.Lua, true}, "script": {string(got.Script), "print(1)"}, "conf": {got.Conf, "scope=full,debug=0"},
		"keys": {string(got.Keys), `{"a":1,"z":{"$secret":"S"}}`}, "extra": {string(got.Extra), "[2]"}, "context": {string(got.Context), `"c"`},
		"data":   {string(got.Data), `{"d":1,"nxcc":{"event":{"kind":"launch","payload":{}},"invocation":{"handler":"run","received_at":"2023-11-14T22:13:20+00:00","type":"event"},"worker":{"instance_id":"order","vm":"nxcc/zenroom","worker_id":"order"}}}`},
		"secret": {string(got.Secrets["S"]), "\x01\x02\x03"}, "memory": {got.MemoryBytes, uint64(64 << 20)}, "timeout": {got.Timeout, 3 * time.Second}, "time": {got.Now.Unix(), int64(1_700_000_000)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

// TestProblems has each thing that can go wrong before and in a script, and which
// counts of two.
func TestProblems(t *testing.T) {
	ended := func(x Execution) *echo { return &echo{do: func(context.Context, *Job) *Execution { return &x }} }
	for _, c := range []struct {
		name, userdata, payload string
		executor                *echo
		code, message           string
		exit                    int
	}{
		{"payload", "", "[]", &echo{}, "invalid_event_payload", "event: an object is wanted, not []", -1},
		{"conf", `{"zenroom": {"conf": "` + strings.Repeat("x", 5000) + `"}}`, launch, &echo{}, "invalid_conf", "Zenroom conf length 5008 exceeds max 4096", -1},
		{"secret and conf", `{"zenroom": {"conf": "` + strings.Repeat("x", 5000) + `", "inputs": {"keys": {"$secret": "none"}}}}`, launch, &echo{}, "secret_injection_failed", "Missing secret 'none'", -1},
		{"timeout", "", launch, ended(Execution{Code: -1, StdoutOver: true, Problem: &Problem{codeTimeout, textTimeout}}), "timeout", "Zenroom execution timed out", -1},
		{"stdout", "", launch, ended(Execution{Code: -1, StdoutOver: true, StderrOver: true}), "stdout_limit_exceeded", "stdout exceeded configured limit", -1},
		{"stderr", "", launch, ended(Execution{Code: -1, StderrOver: true}), "stderr_limit_exceeded", "stderr exceeded configured limit", -1},
		{"exit", "", launch, ended(Execution{Code: 1}), "zenroom_exit_nonzero", "Zenroom exited with code 1", 1},
		{"a signal", "", launch, ended(Execution{Code: -1}), "zenroom_exit_nonzero", "Zenroom exited with code -1", -1},
		{"no JSON, required", `{"zenroom": {"output": {"json_pointer": "/a"}}, "postback": {"required": true}}`, launch, prints("text"), "stdout_json_missing", "stdout JSON missing for selected_output", 0},
		{"raw, required", `{"zenroom": {"output": {"json_pointer": "/a", "format": "raw"}}, "postback": {"required": true}}`, launch, prints("{}"), "stdout_json_missing", "stdout JSON missing for selected_output", 0},
		{"no such pointer, required", `{"zenroom": {"output": {"json_pointer": "/a"}}, "postback": {"required": true}}`, launch, prints("{}"), "json_pointer_not_found", "json_pointer did not resolve", 0},
		{"no such pointer", `{"zenroom": {"output": {"json_pointer": "/a"}}}`, launch, prints("{}"), "", "", 0},
		{"postbacks are off", `{"postback": {"enabled": true}}`, launch, prints("{}"), "postback_disabled", "Postback is disabled by operator configuration", 0},
	} {
		w := start(t, c.executor, usual(), Start{Userdata: c.userdata})
		e, err := w.Event(t.Context(), []byte(c.payload), "run")
		if err != nil {
			t.Fatal(err)
		}
		got := Problem{}
		if e.Error != nil {
			got = *e.Error
		}
		if got != (Problem{c.code, c.message}) || e.OK != (c.code == "") || e.Zenroom.ExitCode != c.exit {
			t.Errorf("%s: %+v, %v, exit %d", c.name, got, e.OK, e.Zenroom.ExitCode)
		}
	}
}

// TestStart has the errors of StartWorker, in their order.
func TestStart(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 1001)
	for _, c := range []struct {
		start Start
		want  string
	}{
		{Start{Script: append(long, 0xff), Userdata: "{"}, "Script size 1002 exceeds max 1000"},
		{Start{Script: []byte("ab\xff"), Userdata: "{"}, "Worker code must be UTF-8: invalid utf-8 sequence of 1 bytes from index 2"},
		{Start{Script: []byte("ok"), Userdata: "{", Secrets: map[string][]byte{"a": make([]byte, 65537)}}, "Invalid userdata JSON: unexpected EOF"},
		{Start{Script: []byte("ok"), Userdata: `{"zenroom": {"mode": "x"}}`, Secrets: map[string][]byte{"a": make([]byte, 65537)}}, "Unsupported zenroom.mode 'x'"},
		{Start{Script: []byte("ok"), Secrets: map[string][]byte{"a": make([]byte, 65000), "b": make([]byte, 537)}}, "Total secrets size 65537 exceeds max 65536"},
		{Start{Script: []byte("ok"), WorkerID: string(make([]byte, 1025))}, "worker_id has 1025 bytes, at most 1024"},
	} {
		if w, err := NewVM(&echo{}, usual()).Start(&c.start); err == nil || err.Error() != c.want {
			t.Errorf("%v, %v, want %s", w, err, c.want)
		}
	}
}

// TestIDs has a worker be found by the id of its code.
func TestIDs(t *testing.T) {
	now := time.Unix(0, 0)
	options := usual()
	options.Now = func() time.Time { return now }
	v := NewVM(&echo{}, options)
	started := func() *Worker {
		w, err := v.Start(&Start{WorkerID: "order"})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	one, two := started(), started()
	if one.ID != "order" || two.ID == "order" || len(two.ID) != 36 {
		t.Errorf("ids %q and %q", one.ID, two.ID)
	}
	if anonymous, err := v.Start(&Start{}); err != nil || len(anonymous.ID) != 36 {
		t.Errorf("without an id: %+v, %v", anonymous, err)
	}
	if err := v.Stop("order"); err != nil {
		t.Fatal(err)
	}
	if err := v.Stop("order"); err == nil || err.Error() != "Worker not found: order" {
		t.Error(err)
	}
	if w, running, err := v.Known("order"); w != two || !running || err != nil {
		t.Errorf("by the id of the code: %+v, %v, %v", w, running, err)
	}
	if err := v.Stop(two.ID); err != nil {
		t.Fatal(err)
	}
	if w, running, err := v.Known("order"); err != nil || w.ID != two.ID || w.Log != two.Log || w.script != nil || w.userdata != nil || running {
		t.Errorf("stopped: %+v, %v, %v", w, running, err)
	}
	if _, err := v.Worker("order"); err == nil || err.Error() != "Worker is not running: order" {
		t.Error(err)
	}
	now = now.Add(stoppedKept + 1)
	if w, _, err := v.Known("order"); err == nil || err.Error() != "Worker not found: order" {
		t.Errorf("%v after it was stopped: %+v, %v", stoppedKept, w, err)
	}
}

// TestBytes has workers hold no more than they may, and nothing once they were stopped.
func TestBytes(t *testing.T) {
	options := usual()
	options.ScriptMax = WorkersBytesMax
	v := NewVM(&echo{}, options)
	half := bytes.Repeat([]byte("x"), WorkersBytesMax/2)
	for range 3 {
		w, err := v.Start(&Start{WorkerID: "a", Script: half})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Start(&Start{WorkerID: "b", Script: half}); err == nil || !strings.Contains(err.Error(), "may hold 1073741824") {
			t.Errorf("a second one: %v", err)
		}
		if err := v.Stop(w.ID); err != nil || v.bytes != 0 {
			t.Errorf("%v, %d bytes are held after it", err, v.bytes)
		}
	}
	v.Drain()
	if _, err := v.Start(&Start{}); err == nil {
		t.Error("a worker was started in a VM that ends")
	}
}

// TestOrder has the invocations of a worker run one after the other in the order in
// which they came, and those of others beside them.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		running, most := 0, 0
		x := &echo{do: func(_ context.Context, job *Job) *Execution {
			mu.Lock()
			running++
			most = max(most, running)
			var data struct {
				NXCC struct {
					Worker     struct{ Instance_ID string }
					Invocation struct{ Handler string }
				}
			}
			_ = json.Unmarshal(job.Data, &data)
			order = append(order, data.NXCC.Worker.Instance_ID+data.NXCC.Invocation.Handler)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return &Execution{Stdout: []byte("{}")}
		}}
		v := NewVM(x, usual())
		var all sync.WaitGroup
		for _, id := range []string{"a", "b"} {
			if _, err := v.Start(&Start{WorkerID: id}); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 5 {
			for _, id := range []string{"a", "b"} {
				w, err := v.Worker(id)
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() { _, _ = w.Event(context.Background(), []byte(launch), strconv.Itoa(n)) })
				synctest.Wait()
			}
		}
		all.Wait()
		var a, b string
		for _, entry := range order {
			if entry[0] == 'a' {
				a += entry[1:]
			} else {
				b += entry[1:]
			}
		}
		if a != "01234" || b != "01234" || most != 2 {
			t.Errorf("a ran %s, b %s, at most %d at once", a, b, most)
		}
	})
}

// TestStop has a worker that is stopped end what runs and nothing else, and forget its
// secrets.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &echo{do: func(context.Context, *Job) *Execution {
			time.Sleep(time.Second)
			return &Execution{Stdout: []byte("{}")}
		}}
		v := NewVM(x, usual())
		secrets := map[string][]byte{"S": {1, 2, 3}}
		w, err := v.Start(&Start{WorkerID: "a", Secrets: secrets})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		errs := make([]error, 3)
		for n := range errs {
			all.Go(func() { _, errs[n] = w.Event(context.Background(), []byte(launch), "run") })
			synctest.Wait()
		}
		if err := v.Stop("a"); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if errs[0] != nil || errs[1] == nil || errs[2] == nil || len(x.jobs) != 1 {
			t.Errorf("%v, %d ran", errs, len(x.jobs))
		}
		if !bytes.Equal(secrets["S"], []byte{0, 0, 0}) {
			t.Errorf("its secret is %v", secrets["S"])
		}
	})
}

// TestLog has a log keep what came last, and those who follow it get what comes.
func TestLog(t *testing.T) {
	l := newLog()
	for n := range LogLinesMax + 10 {
		l.add(time.Unix(int64(n), 0), "x")
	}
	if lines := l.Lines(); len(lines) != LogLinesMax || lines[0].Time.Unix() != 10 {
		t.Errorf("%d lines from %v", len(lines), lines[0].Time)
	}
	l.add(time.Now(), strings.Repeat("é", LogBytesMax))
	if lines := l.Lines(); len(lines[len(lines)-1].Text) != LineBytesMax || len(lines) != LogBytesMax-LineBytesMax+1 {
		t.Errorf("%d lines after a long one", len(lines))
	}
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		for n := range 5 {
			l.add(time.Unix(0, 0), strconv.Itoa(n))
		}
		var got []string
		var ended sync.WaitGroup
		ended.Go(func() {
			_ = l.Stream(context.Background(), 2, true, func(line Line, historical bool) error {
				got = append(got, fmt.Sprint(line.Text, historical))
				return nil
			})
		})
		synctest.Wait()
		l.add(time.Unix(0, 0), "5")
		synctest.Wait()
		l.add(time.Unix(0, 0), "6")
		l.end()
		ended.Wait()
		if fmt.Sprint(got) != "[3true 4true 5false 6false]" {
			t.Errorf("followed: %v", got)
		}
		got = nil
		if err := l.Stream(context.Background(), 0, false, func(line Line, _ bool) error { got = append(got, line.Text); return nil }); err != nil || len(got) != 7 {
			t.Errorf("all: %v, %v", got, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		l2 := newLog()
		if err := l2.Stream(ctx, 0, true, func(Line, bool) error { return nil }); err == nil {
			t.Error("a stream that nobody wants went on")
		}
	})
}

// A receiver takes postbacks.
type receiver struct {
	mu   sync.Mutex
	got  []string
	port uint16
	url  string
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.got = append(r.got, fmt.Sprintf("%s %s %q %s", request.Method, request.URL, request.Header.Get("Content-Type"), body))
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(at.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	r.port, r.url = uint16(port), server.URL
	return r
}

// TestPostbacks sends postbacks of all kinds.
func TestPostbacks(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/bad":
			w.WriteHeader(400)
		case "/move":
			http.Redirect(w, request, "http://169.254.169.254/", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("é", 300))
	})
	options := usual()
	options.Postback = true
	options.Egress = egress.New(egress.Options{Policy: egress.Policy{Schemes: []string{"http"}, Ports: []uint16{r.port}, HostSuffixes: []string{"127.0.0.1"}}})
	const stdout = "{\"output\": [\"Hello_World\", 7], \"n\": null}\n"
	truncated := strings.Repeat("é", 256)
	for _, c := range []struct {
		name, stdout, targets string
		want                  []string // what was sent
		ok                    bool
		result                string // of the first target
	}{
		{"stdout", stdout, `{"kind": "http", "url": "URL/a", "body": {"from": "stdout"}}`, []string{`POST /a "application/json" {"n":null,"output":["Hello_World",7]}`}, true, `"http","ok":true,"status":200,"duration_ms":0,"response_body_truncated":"` + truncated + `","error":null`},
		{"no body", stdout, `{"kind": "http", "url": "URL/a", "method": "Put me"}`, []string{`POST /a "application/json" {"n":null,"output":["Hello_World",7]}`}, true, ""},
		{"a pointer", stdout, `{"kind": "http", "url": "URL/a?b=c", "method": "PUT", "headers": {"content-type": "text/x"}, "body": {"from": "stdout", "json_pointer": "/output/0"}}`, []string{`PUT /a?b=c "text/x" "Hello_World"`}, true, ""},
		{"null", stdout, `{"kind": "http", "url": "URL/a", "body": {"from": "stdout", "json_pointer": "/n"}}`, []string{`POST /a "application/json" null`}, true, ""},
		{"selected", stdout, `{"kind": "http", "url": "URL/a", "body": {"from": "selected_output", "json_pointer": "/ignored"}}`, []string{`POST /a "application/json" "Hello_World"`}, true, ""},
		{"text", "no JSON\n", `{"kind": "http", "url": "URL/a", "body": {"from": "stdout"}}`, []string{"POST /a \"\" no JSON\n"}, true, ""},
		{"evm", stdout, `{"kind": "evm_jsonrpc", "url": "URL/e", "method": "eth_call", "params": [{"from": "stdout", "json_pointer": "/output/1"}, {"from": "selected_output"}]}`, []string{`POST /e "application/json" {"id":1,"jsonrpc":"2.0","method":"eth_call","params":[7,"Hello_World"]}`}, true, `"evm_jsonrpc","ok":true,"status":200`},
		{"evm with text", "no JSON\n", `{"kind": "evm_jsonrpc", "url": "URL/e", "method": "m", "params": [{"from": "stdout"}]}`, []string{`POST /e "application/json" {"id":1,"jsonrpc":"2.0","method":"m","params":["no JSON\n"]}`}, true, ""},
		{"an answer that is none", stdout, `{"kind": "http", "url": "URL/bad"}`, []string{`POST /bad "application/json" {"n":null,"output":["Hello_World",7]}`}, false, `"http","ok":false,"status":400,"duration_ms":0,"response_body_truncated":"` + truncated + `","error":null`},
		{"a redirect", stdout, `{"kind": "http", "url": "URL/move"}`, []string{`POST /move "application/json" {"n":null,"output":["Hello_World",7]}`}, false, `"http","ok":false,"status":302`},
		{"no URL", stdout, `{"kind": "http", "url": "::"}`, nil, false, `"http","ok":false,"status":null,"duration_ms":0,"response_body_truncated":null,"error":{"code":"invalid_url"`},
		{"scheme", stdout, `{"kind": "http", "url": "https://127.0.0.1/"}`, nil, false, `"error":{"code":"postback_scheme_denied","message":"Scheme 'https' not allowed"}`},
		{"port", stdout, `{"kind": "http", "url": "http://127.0.0.1:1/"}`, nil, false, `"error":{"code":"postback_port_denied","message":"Port 1 not allowed"}`},
		{"host, before the body", stdout, `{"kind": "http", "url": "http://localhost:PORT/", "body": {"from": "nowhere"}}`, nil, false, `"error":{"code":"postback_host_denied","message":"Host 'localhost' not in allowlist"}`},
		{"nowhere", stdout, `{"kind": "http", "url": "URL/", "body": {"from": "nowhere"}}`, nil, false, `"error":{"code":"unsupported_postback_source"`},
		{"no such pointer", stdout, `{"kind": "http", "url": "URL/", "body": {"from": "stdout", "json_pointer": "/x"}}`, nil, false, `"error":{"code":"json_pointer_not_found"`},
		{"a pointer into text", "text", `{"kind": "http", "url": "URL/", "body": {"from": "stdout", "json_pointer": "/x"}}`, nil, false, `"error":{"code":"stdout_json_missing"`},
		{"nothing selected", "text", `{"kind": "http", "url": "URL/", "body": {"from": "selected_output"}}`, nil, false, `"error":{"code":"selected_output_missing","message":"No selected_output"}`},
		{"a header", stdout, `{"kind": "http", "url": "URL/", "headers": {"a": "b\r\nc: d"}}`, nil, false, `"error":{"code":"postback_invalid_header"`},
		{"several", stdout, `{"kind": "http", "url": "URL/bad"}, {"kind": "http", "url": "URL/a", "body": {"from": "selected_output"}}`, []string{`POST /bad "application/json" {"n":null,"output":["Hello_World",7]}`, `POST /a "application/json" "Hello_World"`}, false, ""},
	} {
		r.got = nil
		for _, required := range []bool{false, true} {
			targets := strings.NewReplacer("URL", r.url, "PORT", strconv.Itoa(int(r.port))).Replace(c.targets)
			pointer := `"json_pointer": "/output/0"`
			if c.stdout != stdout {
				pointer = ""
			}
			w := start(t, prints(c.stdout), options, Start{Userdata: fmt.Sprintf(`{"zenroom": {"output": {%s}}, "postback": {"enabled": true, "required": %v, "targets": [%s]}}`, pointer, required, targets)})
			e := invoke(t, w)
			posted := millisOf.ReplaceAllString(string(encode(e.Postbacks[0])), `"$1":0`)
			if e.OK != (c.ok || !required) || required && !c.ok && e.Error.Code != "postback_required_failed" || !strings.Contains(posted, c.result) {
				t.Errorf("%s, required %v: %v %+v %s", c.name, required, e.OK, e.Error, posted)
			}
			if fmt.Sprint(r.got) != fmt.Sprint(c.want) {
				t.Errorf("%s: sent %q, want %q", c.name, r.got, c.want)
			}
			r.got = nil
		}
	}
	for text, want := range map[string]string{
		`{"enabled": true, "required": true}`:                           "postback_required_missing",
		`{"enabled": true}`:                                             "",
		`{"required": true, "targets": [{"kind": "http", "url": "x"}]}`: "",
		`{"enabled": true, "targets": [], "retries": {"max": 3}}`:       "",
	} {
		e := invoke(t, start(t, prints("{}"), options, Start{Userdata: `{"postback": ` + text + `}`}))
		if e.OK != (want == "") || want != "" && e.Error.Code != want || len(e.Postbacks) != 0 {
			t.Errorf("%s: %+v", text, e)
		}
	}
}

// TestNotes has the log of a worker tell of events, and not of HTTP.
func TestNotes(t *testing.T) {
	r := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	options := usual()
	options.Postback = true
	options.Egress = egress.New(egress.Options{Policy: egress.Policy{Schemes: []string{"http"}, Ports: []uint16{r.port}, HostSuffixes: []string{"127.0.0.1"}}})
	w := start(t, prints("Hello_World\n"), options, Start{Userdata: `{"postback": {"enabled": true, "targets": [{"kind": "http", "url": "` + r.url + `"}, {"kind": "http", "url": "ftp://x"}]}}`})
	if answer, _, err := w.HTTP(t.Context(), &Request{Method: "GET", URI: "/"}); err != nil || answer.Status != 200 {
		t.Fatal(answer, err)
	}
	if lines := w.Log.Lines(); len(lines) != 0 {
		t.Errorf("after HTTP: %v", lines)
	}
	invoke(t, w)
	var got []string
	for _, line := range w.Log.Lines() {
		got = append(got, regexp.MustCompile(`duration_ms=\d+`).ReplaceAllString(line.Text, "duration_ms=0"))
	}
	if want := `["stdout: Hello_World" "stderr: log" "postback[0]: http status=200 duration_ms=0" "postback[1]: http failed (Scheme 'ftp' not allowed)"]`; fmt.Sprintf("%q", got) != want {
		t.Errorf("%q\nwant %s", got, want)
	}
}

// TestAnswers has HTTP be answered in all modes.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		mode, pointer, stdout, want string
	}{
		{"envelope", "", "{}", `200 application/json {"ok":true,`},
		{"stdout", "", "{ \"b\": 1, \"a\": 2 }\n", "200 application/json { \"b\": 1, \"a\": 2 }\n"},
		{"stdout", "", "text\xff", "200 text/plain text\xff"},
		{"selected_output", "/a", `{"b": 1, "a": {"d": 1, "c": 2}}`, `200 application/json {"c":2,"d":1}`},
		{"selected_output", "", `{"b": 1, "a": 2}`, `200 application/json {"a":2,"b":1}`},
		{"selected_output", "/x", `{"b": 1}`, `200 application/json {"b":1}`},
		{"selected_output", "", "text", "200 application/json null"},
	} {
		options := `"http": {"response_mode": "` + c.mode + `"}`
		if c.pointer != "" {
			options += `, "output": {"json_pointer": "` + c.pointer + `"}`
		}
		answer, _, err := start(t, prints(c.stdout), usual(), Start{Userdata: `{"zenroom": {` + options + `}}`}).HTTP(t.Context(), &Request{Method: "POST", URI: "/x"})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d %s %s", answer.Status, answer.ContentType, answer.Body); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s, want %s", c.mode, c.pointer, got, c.want)
		}
		fails := &echo{do: func(context.Context, *Job) *Execution { return &Execution{Code: 1} }}
		answer, _, err = start(t, fails, usual(), Start{Userdata: `{"zenroom": {` + options + `}}`}).HTTP(t.Context(), &Request{})
		if err != nil || answer.Status != 500 || answer.ContentType != typeJSON || !strings.HasPrefix(string(answer.Body), `{"ok":false,"error":{"code":"zenroom_exit_nonzero"`) {
			t.Errorf("%s, failed: %+v, %v", c.mode, answer, err)
		}
	}
}

// TestDiscreet has the log of a script that failed tell no secret, be it that Zenroom
// shows all that the script had.
func TestDiscreet(t *testing.T) {
	secret := []byte("topsecret-api-key-0123456789")
	encoded := base64.StdEncoding.EncodeToString(secret)
	const script = "Given I have a 'string' named 'name' in 'body'\nThen print the 'name'\n"
	for _, c := range []struct {
		name, keys string
		debug      bool
		withheld   bool
	}{
		{"a secret", `{"api": {"$secret": "API"}}`, false, true},
		{"derived", `{"api": {"$secret": "API", "encoding": "hex", "kdf": {"info": "x"}}}`, false, true},
		{"no secret", `{"api": "public"}`, false, false},
		{"debugging is allowed", `{"api": {"$secret": "API"}}`, true, false},
	} {
		options := usual()
		options.AllowDebug = c.debug
		w := start(t, newMachine(t, nil), options, Start{Script: []byte(script), Secrets: map[string][]byte{"API": slices.Clone(secret)}, Userdata: `{"zenroom": {"inputs": {"keys": ` + c.keys + `}}}`})
		log := invoke(t, w).Zenroom.Stderr
		shown := regexp.MustCompile(`J64 HEAP: ([A-Za-z0-9+/]+=*)"`).FindStringSubmatch(log)
		if (shown == nil) != c.withheld || !json.Valid([]byte(log)) {
			t.Errorf("%s: withheld %v: %s", c.name, shown == nil, log)
		}
		if c.withheld && (strings.Contains(fmt.Sprint(w.Log.Lines()), "HEAP: ey") || strings.Contains(log, encoded)) {
			t.Errorf("%s: %s", c.name, log)
		}
	}
	cut := start(t, newMachine(t, nil), usual(), Start{
		Script: []byte("error(string.rep('A', 140) .. KEYS)"), Secrets: map[string][]byte{"API": slices.Clone(secret)},
		Userdata: `{"zenroom": {"mode": "lua", "inputs": {"keys": {"a": {"$secret": "API", "encoding": "hex", "kdf": {"info": "x", "len": 16}}, "b": {"$secret": "API", "encoding": "hex", "kdf": {"info": "x"}}}}}}`,
	})
	derived, err := hkdf.Key(sha256.New, secret, nil, "x", 32)
	if err != nil {
		t.Fatal(err)
	}
	log, digits := invoke(t, cut).Zenroom.Stderr, hex.EncodeToString(derived)
	for n := range len(digits) - 7 {
		if strings.Contains(log, digits[n:n+8]) {
			t.Fatalf("a message that was cut has %s: %s", digits[n:n+8], log)
		}
	}
	quotes := &echo{do: func(context.Context, *Job) *Execution {
		return &Execution{Code: 1, Stderr: []byte("[ \"bad key " + encoded + "\", \"J64 HEAP: ey")}
	}}
	w := start(t, quotes, usual(), Start{Secrets: map[string][]byte{"API": secret}, Userdata: `{"zenroom": {"inputs": {"keys": {"$secret": "API"}}}}`})
	if got, want := invoke(t, w).Zenroom.Stderr, "[ \"bad key [secret]\", \"J64 HEAP: withheld, there are secrets in the keys"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
