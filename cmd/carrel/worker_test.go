package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestWorker runs workers of nXCC as carrel run does.
func TestWorker(t *testing.T) {
	zencodeHome(t)
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"hello.zen": "Given that I have a 'nxcc'\nThen print the string 'Hello_World'\n",
		"echo.lua":  "print(DATA)", "keys.lua": "print(KEYS)", "fail.lua": "error('no')",
		"hello.json": `{"vm": "nxcc/zenroom", "bundle": {"source": "./hello.zen"}, "userdata": {"zenroom": {"output": {"json_pointer": "/output/0"}, "http": {"response_mode": "selected_output"}}}}`,
		"echo.json":  `{"bundle": {"source": "echo.lua"}, "userdata": {"zenroom": {"mode": "lua", "http": {"response_mode": "stdout"}}}}`,
		"keys.json":  `{"bundle": {"source": "keys.lua"}, "identities": [[{}, "S"]], "userdata": {"zenroom": {"mode": "lua", "inputs": {"keys": {"k": {"$secret": "S", "encoding": "hex"}}}}}}`,
		"fail.json":  `{"bundle": {"source": "fail.lua"}, "userdata": {"zenroom": {"mode": "lua", "http": {"response_mode": "stdout"}}}}`,
		"post.json":  `{"bundle": {"source": "hello.zen"}, "userdata": {"postback": {"enabled": true, "targets": [{"kind": "http", "url": "https://example.com"}]}}}`,
		"other.json": `{"vm": "nxcc/workerd", "bundle": {"source": "hello.zen"}}`,
		"s":          "\x01\x02\x03", "event.json": `{"handler": "tick", "event_payload": null}`, "request.json": `{"method": "POST", "uri": "/a", "body": "hi"}`, "bad.json": "[]",
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		line, stdin  string
		code         int
		stdout, says string
	}{
		{"run hello.json", "", 0, `{"ok":true,"error":null,"zenroom":{"exit_code":0,"stdout":"{\"output\":[\"Hello_World\"]}\n"`, ""},
		{"run hello.json --http request.json", "", 0, `"Hello_World"`, ""},
		{"run --time 2026-01-02T03:04:05Z --event event.json echo.json", "", 0, `\"invocation\":{\"handler\":\"tick\",\"received_at\":\"2026-01-02T03:04:05+00:00\",\"type\":\"event\"}`, ""},
		{"run --event - echo.json", `{"handler": "piped"}`, 0, `\"handler\":\"piped\"`, ""},
		{"run --http request.json echo.json", "", 0, `"http":{"body_base64":"aGk=","headers":{},"method":"POST","url":"http://localhost/a"}`, ""},
		{"run keys.json --secret S=s", "", 0, `{\"k\":\"010203\"}`, ""},
		{"run keys.json", "", 1, `"code":"secret_injection_failed","message":"Missing secret 'S'"`, "the invocation failed: secret_injection_failed: Missing secret 'S'"},
		{"run keys.json --secret S=s --secret T=s", "", 0, "", "--secret T: the worker's identities are S"},
		{"run fail.json", "", 1, `"code":"zenroom_exit_nonzero"`, "the invocation failed: zenroom_exit_nonzero: Zenroom exited with code 1"},
		{"run fail.json --http request.json", "", 1, `{"ok":false,`, ""},
		{"run post.json", "", 1, `"code":"postback_disabled"`, "Postback is disabled by operator configuration"},
		{"run --event bad.json hello.json", "", 1, `"code":"invalid_event_payload"`, ""},
		{"run --http bad.json hello.json", "", exitError, "", "--http: bad.json: the request: an object is wanted, not []"},
		{"run --http none.json hello.json", "", exitError, "", "--http: open none.json: no such file"},
		{"run other.json", "", exitRefused, "", `vm: "nxcc/workerd" is another VM: here is nxcc/zenroom`},
		{"run none.json", "", exitNotFound, "", "none.json: there is no such worker"},
		{"run hello.json --event event.json --http request.json", "", exitError, "", "--event and --http are two invocations"},
		{"run hello.json --keys s", "", exitError, "", "--keys is not for workers: its userdata say what it is handed"},
		{"run hello.json x", "", exitError, "", `"x": a worker has no arguments`},
		{"run hello.zen --event event.json", "", exitError, "", "--event and --http are for workers (.json)"},
		{"run --memory 1M hello.json", "", 1, `"code":"exec_failed"`, "needs 8192 KiB of memory to start"},
	} {
		stdout, stderr, code := carrel(bytes.NewBufferString(c.stdin), strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: %d\n%s%s\nwant %d\n%s\n%s", c.line, code, stdout, stderr, c.code, c.stdout, c.says)
		}
	}
	t.Setenv("NXCC_ZENROOM_VM_MAX_CONF_BYTES", "3")
	if stdout, _, code := carrel(nil, "run", "hello.json"); code != 1 || !strings.Contains(stdout, "Zenroom conf length 7 exceeds max 3") {
		t.Errorf("with a setting of the service: %d %s", code, stdout)
	}
	t.Setenv("NXCC_ZENROOM_VM_MAX_CONF_BYTES", "")
	if _, stderr, code := carrel(nil, "run", "hello.json"); code != exitError || !strings.Contains(stderr, "NXCC_ZENROOM_VM_MAX_CONF_BYTES") {
		t.Errorf("with a setting that is none: %d %s", code, stderr)
	}
	if err := os.Unsetenv("NXCC_ZENROOM_VM_MAX_CONF_BYTES"); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"hello.json", "fail.json", "keys.json --secret S=s", "echo.json --http request.json"} {
		_, _, _ = carrel(nil, append([]string{"run", "--receipt", "r.json"}, strings.Fields(line)...)...)
		for _, engine := range []string{"wazero", "auto"} {
			if stdout, stderr, code := carrel(nil, "verify", "--secret", "S=s", "--engine", engine, "r.json"); code != 0 || !strings.HasPrefix(stdout, "same: ") {
				t.Errorf("%s, verified on %s: %d\n%s%s", line, engine, code, stdout, stderr)
			}
		}
	}
}
