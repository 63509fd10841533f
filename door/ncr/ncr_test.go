package ncr_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"carrel/door/ncr"
	"carrel/guest/zencode"
	"carrel/guest/zencode/pool"
	"carrel/machine"
	"carrel/machine/engines"
	"carrel/npm/npmtest"
	"carrel/npm/zenroom"
	"carrel/turn"
)

var limits = turn.Limits{Fuel: 2_000_000_000, MemoryPages: 512}

var loaded = sync.OnceValues(func() (*zencode.Engine, error) {
	glue, err := os.ReadFile(filepath.Join("../../.cache/programs", zenroom.FileName))
	if err != nil {
		return nil, err
	}
	on, err := engines.Open(engines.Auto)
	if err != nil {
		return nil, err
	}
	return zencode.Load(context.Background(), glue, func(ctx context.Context, wasm []byte) (*machine.Program, error) {
		return machine.Load(ctx, on, wasm)
	})
})

func engine(t testing.TB) *zencode.Engine {
	t.Helper()
	npmtest.File(t, zenroom.FileName) // which says how to get it
	e, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// files are a folder.
func files(contents map[string]string) fstest.MapFS {
	folder := fstest.MapFS{}
	for name, content := range contents {
		folder[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return folder
}

// seed is what the runs of tests have, unless it is drawn.
func seed() []byte { return []byte("a seed of tests") }

// newHandler makes a handler over a folder, with the engine unless options have
// another executor.
func newHandler(t testing.TB, options ncr.Options) *ncr.Handler {
	t.Helper()
	if options.Executor == nil {
		options.Executor = engine(t)
	}
	options.Limits, options.Seed = limits, seed
	if options.Now == nil {
		options.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	}
	h, err := ncr.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// An ask is a request.
type ask struct {
	method, target, body string
	header               []string // "Name: value"
}

// request makes a request of a line: a method, a target, in which ␠ is a blank, and what
// follows is the body.
func request(line string) ask {
	parts := append(strings.SplitN(line, " ", 3), "", "")
	a := ask{method: parts[0], target: strings.ReplaceAll(parts[1], "␠", " "), body: parts[2]}
	if a.method == http.MethodPost {
		a.header = []string{"Content-Type: application/json"}
	}
	return a
}

func (a ask) do(h http.Handler) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:3000/", strings.NewReader(a.body))
	r.Method = a.method
	path, query, _ := strings.Cut(a.target, "?")
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, "", query // as it is
	for _, header := range a.header {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	helloScript = "Rule check version 5.0.0\nGiven I have a 'string' named 'name'\nWhen I write string 'Hello' in 'greeting'\nThen print the 'greeting'\nand print the 'name'\n"
	signScript  = "Rule check version 5.0.0\nScenario 'ecdh': Signs a message\nGiven I am 'Alice'\nand I have my 'keyring'\nand I have a 'string' named 'message'\nWhen I create the ecdh signature of 'message'\nThen print the 'ecdh signature'\n"
	private     = "Aku7vkJ7K01gQehKELav3qaQfTeTMZKgK+5VhaR3Ui0="
	password    = "correct horse battery staple"
	signKeys    = `{"Alice":{"keyring":{"ecdh":"` + private + `"}},"password":"` + password + `","pin":8675309}`
)

// scripts are what most tests serve.
var scripts = map[string]string{
	"hello.zen":              "# Greets.\n# By name.\n" + helloScript,
	"hello.data.json":        `{"name": "Ada"}`,
	"hello.lua":              "print('not this one')",
	"sub/sign.zen":           signScript,
	"sub/sign.keys.json":     signKeys,
	"sub/sign.data.json":     `{"message": "a message"}`,
	"echo.lua":               "-- Says what it has.\nprint(JSON.encode({ data = DATA, keys = tostring(KEYS), time = os.time() }))",
	"text.lua":               "print('plain < text')",
	"conf.lua":               "print(OCTET.random(4):hex())",
	"conf.conf":              "rngseed=hex:" + strings.Repeat("5a", 64),
	"random.lua":             "print(OCTET.random(4):hex())",
	"fails.lua":              "print('before')\nerror('on purpose')",
	"fails.metadata.json":    `{"error_code": "418", "error_description": "A teapot", "unknown": 1}`,
	"missing.zen":            "Given I have a 'string' named 'x'\nThen print data\n",
	"unknown.zen":            "Given nothing\nWhen I do what nobody knows\nThen print data\n",
	"loop.lua":               "while true do pcall(function() while true do end end) end",
	"flood.lua":              "while true do print(string.rep('x', 100000)) end",
	"logs.lua":               "while true do warn(string.rep('x', 100000)) end",
	"bomb.lua":               "local t = {}\nfor n = 1, 1000 do t[n] = string.rep('x', 1000000 + n) end",
	"order.zen":              "Given I have a 'number' named 'price'\nand I have a 'string array' named 'tags'\nThen print data\n",
	"order.schema.json":      `{"type": "object", "properties": {"price": {"$ref": "#/$defs/price"}, "tags": {"type": "array", "items": {"type": "string", "format": "email"}}}, "required": ["price"], "$defs": {"price": {"type": "number", "minimum": 0}}}`,
	"headers.lua":            "local r = JSON.decode(DATA).http_headers.request\nprint(JSON.encode({ agent = r['user-agent'], http_headers = { response = { Location = '/x', ['Content-Length'] = '7', ['X-A'] = 'a', ['Bad Name'] = 'b', ['X-Bad'] = 'c\\r\\nd: e' } } }))",
	"headers.metadata.json":  `{"http_headers": true, "success_code": "302 Found"}`,
	"form.lua":               "print(DATA)",
	"form.metadata.json":     `{"content_type": "application/x-www-form-urlencoded", "success_content_type": "text/html"}`,
	"post.lua":               "print('{}')",
	"post.metadata.json":     `{"disable_get": true, "precondition": false}`,
	"get.lua":                "print('{}')",
	"get.metadata.json":      `{"disable_post": true, "hide_from_openapi": true}`,
	"hidden.lua":             "print('{}')",
	"hidden.metadata.json":   `{"hidden": true}`,
	"guarded.lua":            "print('[1]')",
	"guarded.metadata.json":  `{"precondition": ".checks/adult"}`,
	"guarded2.lua":           "print('[1]')",
	"guarded2.metadata.json": `{"precondition": "nowhere"}`,
	".checks/adult.lua":      "assert(JSON.decode(DATA).age >= 18, 'too young')",
	"bad.zen":                "Given nothing\n",
	"bad.metadata.json":      `{"error_code": 99}`,
	"bad2.lua":               "print(1)",
	"bad2.keys.json":         `{"key": secret}`,
	"bad3.lua":               "\xff\xfe",
	"bad4.lua":               "print(1)",
	"bad4.schema.json":       `{"$ref": "http://example.com/schema.json"}`,
	"bad5.lua":               "print(1)",
	"bad5.schema.json":       `{"pattern": "("}`,
	"bad6.lua":               "print(1)",
	"bad6.data.json":         `[`,
	"bad7.lua":               "print(1)",
	"bad7.metadata.json":     `{"disable_get": "no"}`,
	"bad8.lua":               "print(1)",
	"bad8.keys.json":         `{"key": {"$secret": "S"}}`,
	"zero.lua":               "print('a')\x00print('b')",
	"large.lua":              "print(1)\n" + strings.Repeat("-- a comment of some length, again and again\n", 25_000),
	"larger.lua":             strings.Repeat(" ", zencode.TextBytesMax+1),
	"docs.lua":               "print('never')",
	"a b/ü.lua":              "print('{}')",
	"what?.lua":              "print('never')",
	".hidden.lua":            "print('never')",
	"readme.txt":             "not a script",
}

// TestAnswers has what is asked, and what comes.
func TestAnswers(t *testing.T) {
	h := newHandler(t, ncr.Options{Folder: files(scripts), BodyBytes: 2 << 20})
	deep := strings.Repeat("[", 20_000)
	for _, c := range []struct {
		line   string
		status int
		want   string // the body begins with it
	}{
		{"GET /hello?name=Bob", 200, `{"greeting":"Hello","name":"Bob"}`},
		{"GET /hello?name=B%C3%BCb+%2B", 200, `{"greeting":"Hello","name":"Büb +"}`},
		{"GET /hello?name=a&name=Bob", 200, `{"greeting":"Hello","name":"Bob"}`},
		{"GET /hello", 200, `{"greeting":"Hello","name":"Ada"}`},
		{"HEAD /hello", 200, ``},
		{`POST /hello {"name": "Bob"}`, 200, `{"greeting":"Hello","name":"Bob"}`},
		{`POST /hello`, 500, `{"error":"Zencode line 4: Cannot find 'name' anywhere (null value?)"`},
		{`POST /hello  `, 500, `{"error":"Zencode line 4: Cannot find 'name'`},
		{`POST /hello {`, 400, `{"error":"the data: it is not JSON, at byte 1"}`},
		{`POST /hello {"name": "Bob"} {}`, 400, `{"error":"the data: it is not JSON, at byte 17"}`},
		{`POST /hello ["Bob"]`, 400, `{"error":"the data of Zencode is a JSON object: {…}"}`},
		{"POST /hello {\"name\": \"\xff\"}", 400, `{"error":"the data: it is not text in UTF-8"}`},
		{"POST /echo " + deep, 400, `{"error":"the data: it is not JSON`},
		{"POST /echo " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), 200, `{"data":"[[`},
		{`POST /echo [1]`, 200, `{"data":"[1]","keys":"nil","time":1700000000}`},
		{`POST /echo`, 200, `{"data":"{}","keys":"nil","time":1700000000}`},
		{`POST /echo "` + strings.Repeat("x", 1<<20) + `"`, 200, `{"data":"\"xxx`},
		{`POST /echo "` + strings.Repeat("x", 2<<20) + `"`, 413, `{"error":"the data is larger than 2097152 bytes"}`},
		{"GET /hello?name=%zz", 400, `{"error":"the query cannot be read`},
		{"GET /hello?name=%ff", 400, `{"error":"the query cannot be read`},
		{"GET /hello?a;b", 400, `{"error":"the query cannot be read`},
		{"GET /echo?a=1&b", 200, `{"data":"{\"a\":\"1\",\"b\":\"\"}"`},
		{"GET /text", 200, "plain < text\n"},
		{"GET /conf", 200, `6e1f9cb2`},
		{"GET /random", 200, `9fd08638`},

		{"GET /sub/sign", 200, `{"ecdh_signature":{"r":"`},
		{"POST /sub/sign {}", 500, `{"error":"Zencode line 5: Cannot find 'message' anywhere (null value?)","log":["[W]`},
		{"GET /fails", 418, `{"error":"[source 'print('before')...']:2: on purpose","log":[`},
		{"GET /missing", 500, `{"error":"Zencode line 1: Cannot find 'x' anywhere`},
		{"GET /unknown", 500, `{"error":"[source 'local _res, _err <const> = pcall( function() ...']:1: Zencode line 2 pattern not found (when): When I do what nobody knows"`},
		{"GET /loop", 500, `{"error":"the script used up its fuel: 2G units","class":"fuel"`},
		{"GET /flood", 500, `{"error":"the script printed more than 4MiB","class":"stopped"`},
		{"GET /logs", 500, `{"error":"the script logged more than 1MiB","class":"stopped"`},
		{"GET /bomb", 500, `{"error":"not enough memory","log":[`},

		{"GET /order?price=7.5&tags=a@b.c&tags=d@e.f", 200, `{"price":7.5,"tags":["a@b.c","d@e.f"]}`},
		{"GET /order?price=x", 422, `{"error":"the data is not what order.schema.json allows","problems":["/price: got string, want number"]}`},
		{`POST /order {"price": -1, "tags": ["a@b.c", "d"]}`, 422, `{"error":"the data is not what order.schema.json allows","problems":["/price: minimum: got -1, want 0","/tags/1: 'd' is not valid email: missing @"]}`},
		{`POST /order {}`, 422, `{"error":"the data is not what order.schema.json allows","problems":["data: missing property 'price'"]}`},

		{"GET /headers", 302, `{"agent":"tests"}`},
		{`POST /headers {"http_headers": {}}`, 422, `{"error":"http_headers is the server's to set"}`},
		{`POST /headers [1]`, 400, `{"error":"the data is a JSON object`},
		{`POST /form {}`, 415, `{"error":"the data is sent as \"application/json\": this endpoint takes application/x-www-form-urlencoded"}`},
		{"GET /post", 405, `{"error":"GET is not allowed here: POST, OPTIONS"}`},
		{"POST /get {}", 405, `{"error":"POST is not allowed here: GET, HEAD, OPTIONS"}`},
		{"PUT /hello {}", 405, `{"error":"PUT is not allowed here: GET, HEAD, POST, OPTIONS"}`},
		{"OPTIONS /hello", 204, ``},
		{"POST /docs {}", 405, `{"error":"POST is not allowed here: GET, HEAD, OPTIONS"}`},
		{"GET /guarded?age=19", 403, `{"error":"the precondition does not hold: [source`},
		{`POST /guarded {"age": 17}`, 403, `{"error":"the precondition does not hold: [source`},
		{`POST /guarded {"age": 18}`, 200, `[1]`},
		{"GET /guarded2", 500, `{"error":"guarded2.metadata.json: precondition: there is no script \"nowhere\""}`},

		{"GET /", 200, `["http://127.0.0.1:3000/a%20b/%C3%BC","http://127.0.0.1:3000/bad"`},
		{"GET /health", 200, `{"status":"ok"}`},
		{"GET /docs", 200, "<!doctype html>"},
		{"GET /docs/page.css", 200, ":root {"},
		{"GET /docs/page.js", 200, "\"use strict\""},
		{"GET /docs/page.svg", 200, "<svg"},
		{"GET /hello/raw", 200, scripts["hello.zen"]},
		{"GET /hello/app", 200, "<!doctype html>"},
		{"GET /a␠b/ü", 200, `{}`},

		{"GET /bad", 500, `{"error":"bad.metadata.json: 99 is no status from 200 to 599 that has a body"}`},
		{"GET /bad2", 500, `{"error":"bad2.keys.json: it is not JSON, at byte 9"}`},
		{"GET /bad2/raw", 500, `{"error":"bad2.keys.json: it is not JSON, at byte 9"}`},
		{"GET /bad3", 500, `{"error":"bad3.lua: it is not text in UTF-8"}`},
		{"GET /bad4", 500, `{"error":"bad4.schema.json: `},
		{"GET /bad5", 500, `{"error":"bad5.schema.json: `},
		{"GET /bad6", 500, `{"error":"bad6.data.json: it is not JSON, at byte 1"}`},
		{"GET /bad7", 500, `{"error":"bad7.metadata.json: disable_get is a string, where a bool should be"}`},
		{"GET /bad8", 500, `{"error":"bad8.keys.json: Missing secret 'S'"}`},
		{"GET /zero", 500, `{"error":"zero.lua: it is not text in UTF-8"}`},

		{"GET /large", 200, "1\n"},
		{"GET /larger", 500, `{"error":"larger.lua: it is larger than 16777216 bytes"}`},

		{"GET /none", 404, `{"error":"there is no such script; GET / lists those that there are"}`},
		{"GET /hidden", 404, ""}, {"GET /.hidden", 404, ""}, {"GET /.checks/adult", 404, ""}, {"GET /what?", 404, ""}, {"GET /what%3f", 404, ""},
		{"GET /hello/", 404, ""}, {"GET //hello", 404, ""}, {"GET /hello.zen", 404, ""}, {"GET /hello.zen/x", 404, ""}, {"GET /hello/raw/raw", 404, ""},
		{"GET /sub", 404, ""}, {"GET /sub/sign.keys", 404, ""}, {"GET /sub/sign.keys.json", 404, ""}, {"GET /readme.txt", 404, ""},
		{"GET /../hello", 404, ""}, {"GET /sub/../hello", 404, ""}, {"GET /sub/./sign", 404, ""}, {"GET /..", 404, ""}, {"GET /../raw", 404, ""},
		{"GET /hello\x00", 404, ""}, {"GET /sub\\sign", 404, ""}, {"GET /" + strings.Repeat("x", 10_000), 404, ""}, {"GET ", 404, ""}, {"GET /raw", 404, ""}, {"GET /app", 404, ""},
	} {
		a := request(c.line)
		a.header = append(a.header, "User-Agent: tests")
		w := a.do(h)
		name := c.line[:min(len(c.line), 60)]
		if body := w.Body.String(); w.Code != c.status || !strings.HasPrefix(body, c.want) || c.want == "" && c.status < 400 && body != "" {
			t.Errorf("%s: %d %.500s\nwant %d %s", name, w.Code, body, c.status, c.want[:min(len(c.want), 500)])
		}
		if kind := w.Header().Get("Content-Type"); w.Code >= 400 && (kind != "application/json" || !json.Valid(w.Body.Bytes())) {
			t.Errorf("%s: %d is %q", name, w.Code, kind)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser may guess what it is", name)
		}
	}
}

// TestHeaders has what stands in the head of requests and answers.
func TestHeaders(t *testing.T) {
	h := newHandler(t, ncr.Options{Folder: files(scripts), Origins: []string{"https://a.example", "https://b.example"}, Hosts: []string{"127.0.0.1", "[::1]"}})
	asked := request("GET /headers")
	asked.header = []string{"User-Agent: tests"}
	w := asked.do(h)
	for name, want := range map[string]string{"Location": "/x", "X-A": "a", "Content-Length": "18", "X-Bad": "", "Bad Name": "", "Access-Control-Allow-Origin": "", "Vary": "Origin"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, c := range []struct {
		line, header string
		status       int
		name, want   string
	}{
		{"GET /text", "Accept: */*", 200, "Content-Type", "text/plain; charset=utf-8"},
		{"GET /form?a=b", "Accept: */*", 200, "Content-Type", "text/html"},
		{"GET /hello", "Accept: */*", 200, "Carrel-Data", "example"},
		{"GET /hello?name=x", "Accept: */*", 200, "Carrel-Data", ""},
		{"GET /hello", "Accept: */*", 200, "Cache-Control", "no-store"},
		{"GET /text", "Origin: https://b.example", 200, "Access-Control-Allow-Origin", "https://b.example"},
		{"GET /text", "Origin: https://b.example.evil.test", 200, "Access-Control-Allow-Origin", ""},
		{"OPTIONS /text", "Origin: https://a.example", 204, "Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"},
		{"OPTIONS /post", "Origin: https://a.example", 204, "Access-Control-Allow-Methods", "POST, OPTIONS"},
		{"OPTIONS /text", "Origin: https://evil.test", 204, "Access-Control-Allow-Methods", ""},
		{"OPTIONS /text", "Accept: */*", 204, "Allow", "GET, HEAD, POST, OPTIONS"},
		{"GET /post", "Accept: */*", 405, "Allow", "POST, OPTIONS"},
		{"GET /none", "Origin: https://a.example", 404, "Access-Control-Allow-Origin", "https://a.example"},
		{"PUT /text {}", "Content-Type: text/plain", 405, "Content-Type", "application/json"},
	} {
		a := request(c.line)
		a.header = append(a.header, c.header)
		w := a.do(h)
		if got := w.Header().Get(c.name); got != c.want || w.Code != c.status {
			t.Errorf("%s, %s: %d, %s is %q, want %d %q", c.line, c.header, w.Code, c.name, got, c.status, c.want)
		}
	}
	for kind, status := range map[string]int{
		"": 200, "application/json": 200, "application/json; charset=utf-8": 200, "application/problem+json": 200, "APPLICATION/JSON": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415, "nonsense": 415, "application/jsonx": 415,
	} {
		a := ask{method: "POST", target: "/echo", body: `{}`}
		if kind != "" {
			a.header = []string{"Content-Type: " + kind}
		}
		if w := a.do(h); w.Code != status {
			t.Errorf("%q: %d, want %d", kind, w.Code, status)
		}
	}
	gzipped := request("POST /echo {}")
	gzipped.header = append(gzipped.header, "Content-Encoding: gzip")
	if w := gzipped.do(h); w.Code != 415 {
		t.Errorf("gzip: %d", w.Code)
	}
	form := ask{"POST", "/form", "a=1&b=%20", []string{"Content-Type: application/x-www-form-urlencoded"}}
	if w := form.do(h); w.Body.String() != "{\"a\":\"1\",\"b\":\" \"}\n" {
		t.Errorf("a form: %d %s", w.Code, w.Body)
	}
	for host, status := range map[string]int{"127.0.0.1": 200, "127.0.0.1:3000": 200, "[::1]:3000": 200, "[::1]": 200, "evil.test": 421, "127.0.0.1.evil.test:3000": 421, "": 421, "::1": 421} {
		r := httptest.NewRequest("GET", "/text", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != status {
			t.Errorf("host %q: %d, want %d", host, w.Code, status)
		}
	}
}

// TestWhole has all of a run, for who asks.
func TestWhole(t *testing.T) {
	h := newHandler(t, ncr.Options{Folder: files(scripts)})
	for _, c := range []struct{ line, want string }{
		{"GET /text", `{"status":200,"type":"text/plain; charset=utf-8","output":"plain < text\n","class":"exit","fuel":N,"log":["`},
		{"GET /hello", `{"status":200,"type":"application/json","output":"{\"greeting\":\"Hello\",\"name\":\"Ada\"}\n","class":"exit","fuel":N,"log":["`},
		{"GET /fails", `{"status":418,"type":"application/json","output":"before\n","error":"[source 'print('before')...']:2: on purpose","class":"exit","fuel":N,"log":["`},
		{"GET /loop", `{"status":500,"type":"application/json","output":"","error":"the script used up its fuel: 2G units","class":"fuel","fuel":N,"log":["`},
		{"GET /sub/sign", `{"status":200,"type":"application/json","output":"{\"ecdh_signature\":`}, // without fuel
		{"GET /none", `{"error":"there is no such script`},
	} {
		a := request(c.line)
		a.header = append(a.header, "Accept: application/json;q=0.5, application/vnd.carrel.run+json")
		w := a.do(h)
		var run struct{ Fuel *uint64 }
		if err := json.Unmarshal(w.Body.Bytes(), &run); err != nil {
			t.Fatal(err)
		}
		body := w.Body.String()
		if run.Fuel != nil {
			body = strings.Replace(body, fmt.Sprintf(`"fuel":%d`, *run.Fuel), `"fuel":N`, 1)
		}
		if !strings.HasPrefix(body, c.want) || strings.Contains(c.line, "sign") == (run.Fuel != nil) && strings.Contains(body, `"output"`) {
			t.Errorf("%s: %s\nwant %s", c.line, body, c.want)
		}
	}
}

// TestKeys searches all that is answered and logged for what is in the keys.
func TestKeys(t *testing.T) {
	folder := maps.Clone(scripts)
	maps.Copy(folder, map[string]string{
		"echo.lua": "print(1)", "loop.lua": "", "flood.lua": "", "logs.lua": "", "bomb.lua": "",
		// What Zenroom logs of keys, or Lua says of them.
		"leak/error.lua": "error('the keys are ' .. KEYS)", "leak/error.keys.json": signKeys,
		"leak/warn.lua": "warn(KEYS) warn(O.from_string(JSON.decode(KEYS).password):hex()) warn(O.from_string(JSON.decode(KEYS).password):base64()) error('x')", "leak/warn.keys.json": signKeys,
		"leak/heap.zen": "Given I have a 'string' named 'password'\nWhen I verify 'password' is equal to 'nothing'\nThen print data\n", "leak/heap.keys.json": signKeys,
		"leak/hex.zen": "Given I have a 'hex' named 'password'\nThen print data\n", "leak/hex.keys.json": signKeys,
		"leak/debug.zen": signScript + "and what nobody knows\n", "leak/debug.keys.json": signKeys, "leak/debug.conf": "debug=3",
		"leak/text.zen": "Given I have a 'string' named 'no'\nThen print data\n", "leak/text.keys.json": signKeys, "leak/text.conf": "debug=3,logfmt=text",
		"leak/loop.lua": "warn(KEYS) while true do end", "leak/loop.keys.json": signKeys,
		"leak/schema.lua": "print(1)", "leak/schema.keys.json": signKeys, "leak/schema.schema.json": `{"properties": {"password": {"const": "x"}, "n": {"type": "number"}}, "required": ["password", "n"]}`,
		"leak/secret.lua": "error(KEYS)", "leak/secret.keys.json": `{"a": {"$secret": "S"}, "b": {"$secret": "S", "encoding": "hex"}}`,
		"leak/broken.lua": "print(1)", "leak/broken.keys.json": `{"password": "` + password + `", x}`,
		"leak/cut.lua": "error(string.rep('A', 200) .. KEYS)", "leak/cut.keys.json": `{"a": {"$secret": "S", "encoding": "hex"}, "pem": "-----BEGIN\\n` + password + `\\n` + private + `\\n"}`,
		"leak/full.lua": "for n = 1, 100000 do warn('the key is ' .. JSON.decode(KEYS).password) end", "leak/full.keys.json": signKeys,
		"leak/given.zen": "Given I have a 'string' named 'password'\nand I have a 'string' named 'other'\nThen print the 'other'\n", "leak/given.keys.json": signKeys,
	})
	var log bytes.Buffer
	h := newHandler(t, ncr.Options{Folder: files(folder), Secrets: map[string][]byte{"S": []byte(password)}, Keys: []byte(`{"for all": "` + password + `"}`), Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	raw, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	var secrets []string
	for _, content := range [][]byte{raw, []byte(password)} {
		secrets = append(secrets, string(content), hex.EncodeToString(content), base64.StdEncoding.EncodeToString(content), base64.RawURLEncoding.EncodeToString(content))
	}
	secrets = append(secrets, "8675309", "J64 ")
	search := func(where, text string) {
		t.Helper()
		for _, one := range secrets {
			for n := range max(1, len(one)-7) { // any part of it that tells it
				if part := one[n:min(len(one), n+8)]; strings.Contains(text, part) {
					t.Errorf("%s has %q of %q:\n%.2000s", where, part, one, text)
					break
				}
			}
		}
	}
	targets := []string{"/", "/docs", "/openapi.json", "/oas.json"}
	entries, _, err := h.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		targets = append(targets, "/"+entry.Name, "/"+entry.Name+"/raw", "/"+entry.Name+"/app", "/"+entry.Name+".keys.json", "/"+entry.Name+".keys", "/"+entry.Name+"/keys")
	}
	for _, target := range targets {
		for _, accept := range []string{"text/html", "application/json", "application/vnd.carrel.run+json"} {
			for _, line := range []string{"GET " + target, "POST " + target + ` {"message": 1, "n": "x", "other": "y"}`} {
				a := request(line)
				a.header = append(a.header, "Accept: "+accept)
				w := a.do(h)
				var head bytes.Buffer
				_ = w.Header().Write(&head)
				search(line+" as "+accept, head.String()+w.Body.String())
			}
		}
	}
	search("the log", log.String())
	if n := strings.Count(log.String(), "\n"); n != 6*len(targets) {
		t.Errorf("%d lines are logged of %d requests", n, 6*len(targets))
	}
	given := request(`POST /leak/given {"other": "y"}`).do(h)
	if given.Code != 200 || given.Body.String() != "{\"other\":\"y\"}\n" {
		t.Errorf("keys are not there: %d %s", given.Code, given.Body)
	}
	schema := request(`POST /leak/schema {"n": 1}`).do(h)
	if schema.Code != 200 {
		t.Errorf("what is among the keys is asked of data: %d %s", schema.Code, schema.Body)
	}
}

// TestReload has files change, come and go.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	h := newHandler(t, ncr.Options{Folder: root.FS()})
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(line string, status int, want string) {
		t.Helper()
		if w := request(line).do(h); w.Code != status || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %d %s", line, w.Code, w.Body, status, want)
		}
	}
	check("GET /", 200, "[]\n")
	check("GET /a", 404, "")
	write("a.lua", "print(1)")
	check("GET /a", 200, "1\n")
	check("GET /", 200, "/a")
	write("a.lua", "print(2)")
	check("GET /a", 200, "2\n")
	write("a.schema.json", `{"required": ["x"]}`)
	check("GET /a", 422, "missing property 'x'")
	write("a.schema.json", `{"required": ["y"]}`)
	check("GET /a", 422, "missing property 'y'")
	write("a.keys.json", `{"y": 1}`)
	check("GET /a", 200, "2\n")
	write("a.zen", "Given I have a 'string' named 'y'\nThen print the string 'zen'\n")
	check("GET /a", 200, "zen")
	for _, name := range []string{"a.zen", "a.keys.json", "a.schema.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	check("GET /a", 200, "2\n")
	write("b/c.lua", "print(3)")
	check("GET /b/c", 200, "3\n")
	check("GET /openapi.json", 200, "/b/c")

	// What leads out, or is no file.
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.lua"), []byte("print('outside')"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.Symlink(filepath.Join(outside, "secret.lua"), filepath.Join(dir, "link.lua")), os.Symlink(outside, filepath.Join(dir, "out")),
		os.Symlink("a.lua", filepath.Join(dir, "inner.lua")), os.Symlink("self.lua", filepath.Join(dir, "self.lua")),
		syscall.Mkfifo(filepath.Join(dir, "pipe.lua"), 0o644), os.Mkdir(filepath.Join(dir, "dir.lua"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	check("GET /link", 500, "link.lua: path escapes from parent")
	check("GET /out/secret", 500, "path escapes")
	check("GET /inner", 200, "2\n")
	check("GET /self", 500, "self.lua: ")
	check("GET /pipe", 500, "pipe.lua: it is not a regular file")
	check("GET /dir", 500, "dir.lua: it is not a regular file")
	check("GET /", 200, "/inner")
	for _, path := range []string{"/", "/link", "/out/secret", "/self"} {
		if w := request("GET " + path).do(h); strings.Contains(w.Body.String(), dir) || strings.Contains(w.Body.String(), outside) {
			t.Errorf("%s tells of this host's directories: %s", path, w.Body)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	check("GET /a", 404, "")
}

// An executor that tests decide of.
type executor func(context.Context, *zencode.Input) (*zencode.Result, error)

func (e executor) Run(ctx context.Context, input *zencode.Input) (*zencode.Result, error) {
	return e(ctx, input)
}

// stopped is what comes of a run that is stopped.
func stopped() *zencode.Result {
	return &zencode.Result{Outcome: turn.Outcome{Class: turn.Stopped}}
}

// TestBusy has more requests than may run and wait.
func TestBusy(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	h := newHandler(t, ncr.Options{Folder: files(scripts), Running: 1, Waiting: 1, Timeout: time.Hour, Executor: executor(func(context.Context, *zencode.Input) (*zencode.Result, error) {
		began <- struct{}{}
		<-end
		return &zencode.Result{Output: []byte("1")}, nil
	})})
	answers := make(chan *httptest.ResponseRecorder, 2)
	go func() { answers <- request("GET /text").do(h) }()
	<-began
	waits := httptest.NewRequest("POST", "http://127.0.0.1/text", &signalling{strings.NewReader("{}"), began})
	go func() { w := httptest.NewRecorder(); h.ServeHTTP(w, waits); answers <- w }()
	<-began // its data is read: it has a place
	w := request("GET /text").do(h)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || !strings.HasPrefix(w.Body.String(), `{"error":"the server is busy: too many requests wait already"`) {
		t.Errorf("a third: %d %s", w.Code, w.Body)
	}
	if w := request("GET /text/raw").do(h); w.Code != 200 {
		t.Errorf("what needs no run: %d", w.Code)
	}
	end <- struct{}{}
	<-began
	end <- struct{}{}
	for range 2 {
		if w := <-answers; w.Code != 200 || w.Body.String() != "1" {
			t.Errorf("one of the first: %d %s", w.Code, w.Body)
		}
	}
}

// signalling is data that tells when it is read to its end.
type signalling struct {
	io.Reader
	read chan<- struct{}
}

func (s *signalling) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if err == io.EOF {
		s.read <- struct{}{}
	}
	return n, err
}

// TestStopped has runs that take too long, fail, or that nobody waits for.
func TestStopped(t *testing.T) {
	until := executor(func(ctx context.Context, _ *zencode.Input) (*zencode.Result, error) {
		<-ctx.Done()
		return stopped(), nil
	})
	late := newHandler(t, ncr.Options{Folder: files(scripts), Running: 1, Timeout: time.Millisecond, Executor: until})
	if w := request("GET /text").do(late); w.Code != http.StatusGatewayTimeout || !strings.HasPrefix(w.Body.String(), `{"error":"the script took longer than 1ms","class":"stopped"`) {
		t.Errorf("late: %d %s", w.Code, w.Body)
	}
	if w := request("GET /guarded").do(late); w.Code != http.StatusGatewayTimeout {
		t.Errorf("late precondition: %d %s", w.Code, w.Body)
	}
	forever, began := make(chan struct{}), make(chan struct{})
	waiting := newHandler(t, ncr.Options{Folder: files(scripts), Running: 1, Timeout: time.Millisecond, Executor: executor(func(context.Context, *zencode.Input) (*zencode.Result, error) {
		close(began)
		<-forever
		return stopped(), nil
	})})
	done := make(chan struct{})
	go func() { request("GET /text").do(waiting); close(done) }()
	<-began
	if w := request("GET /text").do(waiting); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one that waited for nothing: %d %s", w.Code, w.Body)
	}
	close(forever)
	<-done
	failing := newHandler(t, ncr.Options{Folder: files(scripts), Executor: executor(func(context.Context, *zencode.Input) (*zencode.Result, error) {
		return nil, errors.New("no memory left")
	})})
	if w := request("GET /text").do(failing); w.Code != 500 || !strings.Contains(w.Body.String(), "the script could not be run: no memory left") {
		t.Errorf("failing: %d %s", w.Code, w.Body)
	}
	for class, want := range map[turn.Class]string{turn.Memory: "the script broke the engine's memory, or its bounds", turn.Unreachable: "the engine failed", turn.Worker: "the engine failed", turn.Stopped: "the script was stopped"} {
		h := newHandler(t, ncr.Options{Folder: files(scripts), Executor: executor(func(context.Context, *zencode.Input) (*zencode.Result, error) {
			return &zencode.Result{Outcome: turn.Outcome{Class: class, Text: "at 0x7f of this host"}}, nil
		})})
		if w := request("GET /text").do(h); w.Code < 500 || !strings.HasPrefix(w.Body.String(), `{"error":"`+want+`","class":"`+class.String()+`"`) {
			t.Errorf("%v: %d %s", class, w.Code, w.Body)
		}
	}
}

// TestMany has fifty at once, some of them prepared, while files change.
func TestMany(t *testing.T) {
	dir := t.TempDir()
	write := func(content string) {
		if err := os.WriteFile(filepath.Join(dir, "hello.data.json"), []byte(content), 0o644); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "hello.zen"), []byte(helloScript), 0o644); err != nil {
		t.Fatal(err)
	}
	runs := pool.New(pool.Options{Engine: engine(t), Runs: 2, Seed: ncr.Chance})
	defer runs.Close()
	h := newHandler(t, ncr.Options{Folder: os.DirFS(dir), Executor: runs})
	if err := h.Expect(runs.Expect); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			write(fmt.Sprintf(`{"name": "%d"}`, n))
			answer, err := http.Post(server.URL+"/hello", "application/json", strings.NewReader(fmt.Sprintf(`{"name": "n%d"}`, n)))
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			if want := fmt.Sprintf("{\"greeting\":\"Hello\",\"name\":\"n%d\"}\n", n); answer.StatusCode != 200 && answer.StatusCode != 500 || answer.StatusCode == 200 && string(body) != want {
				t.Errorf("%d: %d %s", n, answer.StatusCode, body)
			} else if answer.StatusCode == 500 && !bytes.Contains(body, []byte("hello.data.json")) { // half written
				t.Errorf("%d: %d %s", n, answer.StatusCode, body)
			}
		})
	}
	all.Wait()
}

// TestList has what is found, and what is not served.
func TestList(t *testing.T) {
	h := newHandler(t, ncr.Options{Folder: files(scripts)})
	entries, ignored, err := h.List()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(entries, ncr.Entry{Name: "hello", File: "hello.zen"}) || !slices.Contains(entries, ncr.Entry{Name: "sub/sign", File: "sub/sign.zen"}) || !slices.IsSortedFunc(entries, func(a, b ncr.Entry) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("found: %v", entries)
	}
	if want := []string{"docs.lua: /docs is a page of the server", "hello.lua: hello.zen is served", "what?.lua: such a name is not served"}; !slices.Equal(ignored, want) {
		t.Errorf("ignored: %q", ignored)
	}
	var kinds []string
	if err := h.Expect(func(i *zencode.Input) { kinds = append(kinds, fmt.Sprint(i.Lua, len(i.Keys) > 0, i.Conf != "")) }); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(kinds); !slices.Equal(kinds, []string{"false false false", "false true false", "true false false", "true false true"}) {
		t.Errorf("kinds of input: %q", kinds)
	}
	gone := newHandler(t, ncr.Options{Folder: os.DirFS(filepath.Join(t.TempDir(), "gone"))})
	if _, _, err := gone.List(); err == nil {
		t.Error("a folder that is not there is listed")
	}
	if w := request("GET /openapi.json").do(gone); w.Code != 500 {
		t.Errorf("the document of a folder that is not there: %d", w.Code)
	}
}

// TestOptions has options that cannot be.
func TestOptions(t *testing.T) {
	good := ncr.Options{Folder: files(nil), Executor: executor(nil), Limits: limits}
	for name, change := range map[string]func(*ncr.Options){
		"no folder": func(o *ncr.Options) { o.Folder = nil }, "no executor": func(o *ncr.Options) { o.Executor = nil }, "no limits": func(o *ncr.Options) { o.Limits = turn.Limits{} },
		"a large body": func(o *ncr.Options) { o.BodyBytes = zencode.TextBytesMax + 1 }, "a negative body": func(o *ncr.Options) { o.BodyBytes = -1 },
	} {
		options := good
		change(&options)
		if _, err := ncr.New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := ncr.New(good); err != nil {
		t.Error(err)
	}
	if a, b := ncr.Chance(), ncr.Chance(); bytes.Equal(a, b) || len(a) < 32 {
		t.Errorf("chance gives %x and %x", a, b)
	}
}

// BenchmarkHello is a request for a hello, with runs that were prepared and without.
func BenchmarkHello(b *testing.B) {
	for _, prepared := range []int{0, 2} {
		b.Run(fmt.Sprintf("%d prepared", prepared), func(b *testing.B) {
			runs := pool.New(pool.Options{Engine: engine(b), Runs: prepared, Seed: ncr.Chance})
			defer runs.Close()
			h := newHandler(b, ncr.Options{Folder: files(map[string]string{"hello.zen": helloScript}), Executor: runs})
			for b.Loop() {
				b.StopTimer()
				for runs.Waiting() < prepared {
					_ = h.Expect(runs.Expect)
					time.Sleep(time.Millisecond)
				}
				b.StartTimer()
				if w := request(`POST /hello {"name": "Bob"}`).do(h); w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// echo is an executor that prints the data, and logs the keys.
func echo(_ context.Context, input *zencode.Input) (*zencode.Result, error) {
	return &zencode.Result{Output: input.Data, Log: input.Keys}, nil
}

// TestSlowReader has somebody who does not read an answer hold up nobody who wants to
// run a script.
func TestSlowReader(t *testing.T) {
	h := newHandler(t, ncr.Options{
		Folder: files(map[string]string{"big.lua": "", "small.lua": ""}), Running: 1,
		Executor: executor(func(_ context.Context, input *zencode.Input) (*zencode.Result, error) {
			return &zencode.Result{Outcome: turn.Outcome{Class: turn.Exit}, Output: bytes.Repeat([]byte("x"), 8<<20)}, nil
		}),
	})
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // it is answered, and not read on
		t.Fatal(err)
	}
	answer, err := http.Get(server.URL + "/small")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the next one is answered with %s", answer.Status)
	}
}
