package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder writes files into a new directory.
func folder(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// served is carrel zencode serve under way.
type served struct {
	lines []string // what it said when it listened
	end   func() (code int, stderr string)
}

// serveZencode starts it, and waits until it listens.
func serveZencode(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, w := io.Pipe()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"zencode", "serve"}, args...), nil, w, &stderr)
		w.Close()
	}()
	s := &served{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		s.lines = append(s.lines, lines.Text())
		if strings.HasPrefix(lines.Text(), "  /z") { // the last
			break
		}
	}
	s.end = func() (int, string) { cancel(); c := <-code; return c, stderr.String() }
	if len(s.lines) == 0 {
		t.Fatalf("exit %d: %s", <-code, stderr.String())
	}
	return s
}

func TestZencodeServe(t *testing.T) {
	zencodeHome(t)
	dir := folder(t, map[string]string{
		"hello.zen": "Given I have a 'string' named 'name'\nThen print the 'name'\n", "hello.lua": "",
		"k.lua": "print(KEYS, OCTET.random(4):hex())", "z.lua": "print(KEYS, LOGFMT)", "z.keys.json": `{"a":{"$secret":"S"}}`,
	})
	other := folder(t, map[string]string{"keys": `{"k":1}`, "s": "s3cret-s3cret"})
	s := serveZencode(t, "--listen", "127.0.0.1:0", "--seed", "01", "--log", "json", "--keys", filepath.Join(other, "keys"), "--secret", "S="+filepath.Join(other, "s"), "--cors", "*", dir)
	at := strings.Fields(s.lines[0])[4]
	at = strings.TrimSuffix(at, ",")
	if want := "serving 3 scripts at " + at + ", to be tried at " + at + "/docs|  /hello  hello.zen|  /k  k.lua|  /z  z.lua"; strings.Join(s.lines, "|") != want {
		t.Errorf("it says %q, want %s", s.lines, want)
	}
	for _, c := range []struct {
		path, want string
		status     int
	}{
		{"/hello?name=Ada", `{"name":"Ada"}`, 200}, {"/k", "{\"k\":1}\t", 200}, {"/z", `{"a":"czNjcmV0LXMzY3JldA=="}`, 200},
		{"/none", "there is no such script", 404}, {"/docs", "<!doctype html>", 200},
	} {
		answer, err := http.Get(at + c.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != c.status || !strings.Contains(string(body), c.want) || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %s (%v)", c.path, answer.StatusCode, body, err)
		}
	}
	once, err := http.Get(at + "/k")
	if err != nil {
		t.Fatal(err)
	}
	first, _ := io.ReadAll(once.Body)
	once.Body.Close()
	again, err := http.Get(at + "/k")
	if err != nil {
		t.Fatal(err)
	}
	second, _ := io.ReadAll(again.Body)
	again.Body.Close()
	if !bytes.Equal(first, second) {
		t.Errorf("with --seed: %s, then %s", first, second)
	}
	evil, err := http.NewRequest(http.MethodGet, at+"/k", nil)
	if err != nil {
		t.Fatal(err)
	}
	evil.Host = "evil.test"
	if answer, err := http.DefaultClient.Do(evil); err != nil || answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("for another host: %v, %v", answer, err)
	}
	_, stderr, code := carrel(nil, "zencode", "serve", "--listen", strings.TrimPrefix(at, "http://"), dir)
	if code != exitError || !strings.Contains(stderr, "carrel: --listen: listen tcp "+strings.TrimPrefix(at, "http://")+": bind: address already in use") {
		t.Errorf("a port that is taken: exit %d, %s", code, stderr)
	}
	code, log := s.end()
	if code != 0 || !strings.Contains(log, "carrel: not served: hello.lua: hello.zen is served") || !strings.Contains(log, "--seed: every run has the same chance") || !strings.Contains(log, `"path":"/hello","status":200`) {
		t.Errorf("exit %d: %s", code, log)
	}
	if strings.Contains(log, "Ada") || strings.Contains(log, "czNjcmV0LXMzY3JldA") {
		t.Errorf("data or keys are logged: %s", log)
	}
}

func TestZencodeServeUnix(t *testing.T) {
	zencodeHome(t)
	dir := folder(t, map[string]string{"z.lua": "print(1 + 1)"})
	socket := filepath.Join(t.TempDir(), "s")
	left, err := net.Listen("unix", socket) // one that crashed leaves its file
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	s := serveZencode(t, "--listen", "unix:"+socket, "--prepare", "-1", "--max-waiting", "0", "--log", "off", dir)
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	answer, err := client.Get("http://any.name/z")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "2\n" {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if _, stderr, code := carrel(nil, "zencode", "serve", "--listen", "unix:"+socket, dir); code != exitError || !strings.Contains(stderr, "somebody listens at "+socket+" already") {
		t.Errorf("a socket that is taken: exit %d, %s", code, stderr)
	}
	if code, stderr := s.end(); code != 0 || stderr != "" {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if _, err := os.Lstat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

// TestZencodeServeRefuses has what cannot be served.
func TestZencodeServeRefuses(t *testing.T) {
	zencodeHome(t)
	dir := folder(t, map[string]string{"a.lua": "print(1)"})
	empty := folder(t, map[string]string{"a.txt": "", "docs.zen": "", ".b.zen": ""})
	t.Chdir(dir)
	for _, c := range []struct {
		line string
		code int
		says string
	}{
		{"", exitError, "DIR is missing"},
		{"none", exitNotFound, "none: there is no such directory"},
		{"a.lua", exitNotFound, "a.lua is not a directory; carrel run runs a script"},
		{empty, exitNotFound, "there is no script (.zen, .lua) in it: docs.zen: /docs is a page of the server"},
		{"--listen nowhere .", exitError, "--listen: listen tcp: address nowhere: missing port in address"},
		{"--listen unix:/none/s .", exitError, "--listen: listen unix /none/s: bind: no such file or directory"},
		{"--listen unix:/" + strings.Repeat("x", 200) + " .", exitError, "the path of a socket has at most 103 bytes"},
		{"--listen 127.0.0.1:0 --memory 1M .", exitError, "needs 8192 KiB of memory to start"},
		{"--listen 127.0.0.1:0 --fuel 1M .", exitError, "--fuel: 1M units are less than the engine of Zencode takes to begin"},
		{"--memory 3G .", exitError, "--memory: "},
		{"--max-body 17M .", exitError, "--max-body: 17MiB: from 1 byte to"},
		{"--max-body 0 .", exitError, "--max-body: "},
		{"--timeout 0s .", exitError, "--timeout: 0s: it must be more than nothing"},
		{"--max-running -1 .", exitError, "--max-running: -1: it must not be negative"},
		{"--seed x .", exitError, `--seed: "x" is not at most 64 bytes`},
		{"--keys none .", exitError, "--keys: open none: no such file or directory"},
		{"--secret S .", exitError, `--secret: "S" is not of the form NAME=FILE`},
		{"--log xml .", exitError, `--log: "xml" is neither text nor json nor off`},
		{"--engine v8 .", exitError, `--engine: "v8" is no engine`},
	} {
		stdout, stderr, code := carrel(nil, append([]string{"zencode", "serve"}, strings.Fields(c.line)...)...)
		if code != c.code || !strings.Contains(stderr, c.says) || stdout != "" {
			t.Errorf("%s: exit %d\n%s%s\nwant %d %s", c.line, code, stdout, stderr, c.code, c.says)
		}
	}
	if _, stderr, code := carrel(nil, "zencode", "sevre"); code != exitError || !strings.Contains(stderr, "do you mean serve?") {
		t.Errorf("another word: exit %d, %s", code, stderr)
	}
}
