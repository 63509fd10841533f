package nxcc

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestUserdata reads userdata of all kinds.
func TestUserdata(t *testing.T) {
	pointer := "/output/0"
	whole := ""
	object := []byte("{}")
	usual := Userdata{Conf: "debug=0", Data: object, Keys: object, Extra: object, Context: object, Postback: Postback{BackoffMillis: 250}}
	for _, c := range []struct {
		name, text string
		want       func(*Userdata)
	}{
		{"nothing", "", func(*Userdata) {}},
		{"space", " \n\t", func(*Userdata) {}},
		{"an empty object", "{}", func(*Userdata) {}},
		{"nulls", `{"zenroom": {"mode": null, "conf": null, "inputs": {"data": null, "keys": null, "merge_strategy": null}, "output": null, "http": {"response_mode": null}}, "postback": {"enabled": null, "retries": {"max": null}, "targets": null}}`, func(*Userdata) {}},
		{"unknown fields", `{"x": 1, "zenroom": {"y": 2, "output": {"z": []}}}`, func(*Userdata) {}},
		{"all", `{"zenroom": {"mode": "LUA", "conf": "scope=full", "inputs": {"data": [1, {"$secret": 1}], "keys": {"b": [{"$secret": "S"}], "a": 1}, "extra": 7, "context": false, "merge_strategy": "Wrap"},
			"output": {"format": "RAW", "json_pointer": "/output/0"}, "http": {"response_mode": "Selected_Output"}},
			"postback": {"enabled": true, "required": true, "retries": {"max": 4294967295, "backoff_ms": 18446744073709551615}, "targets": [
				{"kind": "http", "url": "u", "method": "PUT", "headers": {"b": "2", "a": "1"}, "body": {"from": "selected_output", "json_pointer": ""}},
				{"kind": "http", "url": "v"},
				{"kind": "evm_jsonrpc", "url": "w", "method": "eth_call", "params": [{"from": "stdout", "json_pointer": "/output/0"}, {"from": "elsewhere"}, {}]}]}}`,
			func(u *Userdata) {
				*u = Userdata{Lua: true, Conf: "scope=full", Data: []byte(`[1,{"$secret":1}]`), Keys: []byte(`{"a":1,"b":[{"$secret":"S"}]}`), Extra: []byte("7"), Context: []byte("false"), Placeholders: true, Misplaced: []string{"data"}, Wrap: true, Raw: true, Pointer: &pointer, Response: ResponseSelected,
					Postback: Postback{Enabled: true, Required: true, Retries: 1<<32 - 1, BackoffMillis: 1<<64 - 1, Targets: []Target{
						{Kind: KindHTTP, URL: "u", Method: "PUT", Headers: map[string]string{"a": "1", "b": "2"}, Body: &Selector{"selected_output", &whole}},
						{Kind: KindHTTP, URL: "v", Method: "POST", Headers: map[string]string{}},
						{Kind: KindEVM, URL: "w", Method: "eth_call", Params: []Selector{{"stdout", &pointer}, {"elsewhere", nil}, {"stdout", nil}}},
					}}}
			}},
	} {
		got, err := parseUserdata(c.text)
		want := usual
		c.want(&want)
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", c.name, got, err, want)
		}
	}
}

// TestUserdataRefused has userdata that no worker starts with.
func TestUserdataRefused(t *testing.T) {
	deep := strings.Repeat("[", 130) + strings.Repeat("]", 130)
	for text, want := range map[string]string{
		`{`:                               "Invalid userdata JSON: unexpected EOF",
		`{} {}`:                           "Invalid userdata JSON: trailing characters",
		`[]`:                              "Invalid userdata JSON: userdata: an object is wanted, not []",
		`{"zenroom": []}`:                 "Invalid userdata JSON: zenroom: an object is wanted, not []",
		`{"zenroom": {"mode": 1}}`:        "Invalid userdata JSON: zenroom.mode: a text is wanted, not 1",
		`{"zenroom": {"mode": "python"}}`: "Unsupported zenroom.mode 'python'",
		`{"zenroom": {"inputs": {"merge_strategy": "both"}}}`:                                                                  "Unsupported merge_strategy 'both'",
		`{"zenroom": {"output": {"format": "xml"}}}`:                                                                           "Unsupported output.format 'xml'",
		`{"zenroom": {"http": {"response_mode": "all"}}}`:                                                                      "Unsupported http.response_mode 'all'",
		`{"zenroom": {"inputs": {"data": ` + deep + `}}}`:                                                                      "Invalid userdata JSON: nested deeper than 127",
		`{"postback": {"enabled": "yes"}}`:                                                                                     `Invalid userdata JSON: postback.enabled: true or false is wanted, not "yes"`,
		`{"postback": {"retries": {"max": 4294967296}}}`:                                                                       "Invalid userdata JSON: postback.retries.max: a whole number up to 4294967295 is wanted, not 4294967296",
		`{"postback": {"retries": {"max": "1"}}}`:                                                                              `Invalid userdata JSON: postback.retries.max: a whole number up to 4294967295 is wanted, not "1"`,
		`{"postback": {"retries": {"backoff_ms": 1.5}}}`:                                                                       "Invalid userdata JSON: postback.retries.backoff_ms: a whole number up to 18446744073709551615 is wanted, not 1.5",
		`{"postback": {"targets": [{"url": "x"}]}}`:                                                                            "Invalid userdata JSON: postback.targets[0].kind: a text is wanted, not null",
		`{"postback": {"targets": [{"kind": "ftp", "url": "x"}]}}`:                                                             `Invalid userdata JSON: postback.targets[0].kind: "http" or "evm_jsonrpc" is wanted, not "ftp"`,
		`{"postback": {"targets": [{"kind": "http"}]}}`:                                                                        "Invalid userdata JSON: postback.targets[0].url: a text is wanted, not null",
		`{"postback": {"targets": [{"kind": "evm_jsonrpc", "url": "x"}]}}`:                                                     "Invalid userdata JSON: postback.targets[0].method: a text is wanted, not null",
		`{"postback": {"targets": [{"kind": "http", "url": "x", "headers": {"a": 1}}]}}`:                                       "Invalid userdata JSON: postback.targets[0].headers.a: a text is wanted, not 1",
		`{"postback": {"targets": [` + strings.Repeat(`{"kind": "http", "url": "x"},`, 64) + `{"kind": "http", "url": "x"}]}}`: "Invalid userdata JSON: postback.targets: 65, at most 64",
	} {
		if got, err := parseUserdata(text); err == nil || err.Error() != want {
			t.Errorf("%.100s: %+v, %v\nwant %s", text, got, err, want)
		}
	}
}

// TestPointer has the examples of RFC 6901, and what is refused.
func TestPointer(t *testing.T) {
	document, err := decode([]byte(`{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8, "null": null, "~1": 9}`))
	if err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]string{
		"/foo": `["bar","baz"]`, "/foo/0": `"bar"`, "/foo/1": `"baz"`, "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3", "/g|h": "4", `/i\j`: "5", `/k"l`: "6", "/ ": "7", "/m~0n": "8", "/null": "null", "/~01": "9",
		"": "*", "foo": "", "/foo/2": "", "/foo/00": "", "/foo/01": "", "/foo/+1": "", "/foo/-1": "", "/foo/-": "", "/foo/": "", "/foo/1e0": "", "/foo/0/x": "", "/null/x": "", "/bar": "", "/foo/99999999999999999999": "",
	} {
		value, ok := resolve(document, pointer)
		switch got := string(encode(value)); {
		case ok != (want != ""):
			t.Errorf("%q: %s, %v", pointer, got, ok)
		case ok && want != "*" && got != want:
			t.Errorf("%q: %s, want %s", pointer, got, want)
		}
	}
}

// TestJSON keeps numbers and the order of names, and does not escape for HTML.
func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"b": 1, "a": {"d": 1.50, "c": 123456789012345678901234567890}, "<&>": "<é\u0001>"}`: `{"<&>":"<é\u0001>","a":{"c":123456789012345678901234567890,"d":1.50},"b":1}`,
		` [ ] `:                 `[]`,
		`"\ud83d\ude00\\ud800"`: `"😀\\ud800"`,
		`"\ud800"`:              "", `"\ud800x"`: "", `"\ud800\u0041"`: "", `"\udc00"`: "", `"\ud800\ud800"`: "",
		`1e308`: "1e308", `[1e309]`: "", `{"a": -1e999}`: "", strings.Repeat("9", 400): "",
		`{"a":1}x`: "",
		`{"a":1,}`: "",
		"\xff":     "",
		strings.Repeat("[", 127) + strings.Repeat("]", 127): strings.Repeat("[", 127) + strings.Repeat("]", 127),
		strings.Repeat("[", 128) + strings.Repeat("]", 128): "",
		`"` + strings.Repeat("[", 200) + `\"{"`:             `"` + strings.Repeat("[", 200) + `\"{"`,
	} {
		value, err := decode([]byte(text))
		if (err == nil) != (want != "") || err == nil && string(encode(value)) != want {
			t.Errorf("%.60s: %s, %v, want %.60s", text, encode(value), err, want)
		}
	}
}

// TestLossy replaces what is no UTF-8 as Rust does.
func TestLossy(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "héllo€": "héllo€", "a\xffb": "a�b", "\xff\xfe": "��", "\xe2\x82": "�", "\xe2\x82x": "�x", "\xf0\x9f\x98": "�", "\xed\xa0\x80": "���", "\xc0\xaf": "��", "\x00": "\x00",
	} {
		if got := lossy([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestConf has confs with and without debug.
func TestConf(t *testing.T) {
	for _, c := range []struct {
		conf  string
		debug bool
		max   int
		want  string
		err   string
	}{
		{"debug=0", false, 4096, "debug=0", ""},
		{"debug=3, scope=full ,,debug,logfmt=text", false, 4096, "scope=full,logfmt=text,debug=0", ""},
		{"", false, 4096, "debug=0", ""},
		{"debugger=1, Debug=2,debug =3", false, 4096, "debugger=1,Debug=2,debug =3,debug=0", ""},
		{"debug=3, scope=full", true, 4096, "debug=3, scope=full", ""},
		{"scope=full", false, 17, "", "Zenroom conf length 18 exceeds max 17"},
		{"scope=full\nx=1", false, 4096, "", "Zenroom conf has a control character in it"},
		{"scope=full\rx=1", true, 4096, "", "Zenroom conf has a control character in it"},
		{"debug =3\x00", false, 4096, "", "Zenroom conf has a control character in it"},
		{"scope=full,\tdebug=1", false, 4096, "scope=full,debug=0", ""},
	} {
		got, err := (&Userdata{Conf: c.conf}).conf(c.debug, c.max)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%q: %q, %v, want %q, %s", c.conf, got, err, c.want, c.err)
		}
	}
}

// TestMerged has the metadata stand in the data, or beside them.
func TestMerged(t *testing.T) {
	for _, c := range []struct {
		data, want string
		wrap       bool
	}{
		{`{"b": 1}`, `{"b":1,"nxcc":{"m":1}}`, false},
		{`{"b": 1}`, `{"input":{"b":1},"nxcc":{"m":1}}`, true},
		{`{"nxcc": 1}`, `{"input":{"nxcc":1},"nxcc":{"m":1}}`, false},
		{`[1]`, `{"input":[1],"nxcc":{"m":1}}`, false},
		{`"x"`, `{"input":"x","nxcc":{"m":1}}`, false},
		{`{}`, `{"nxcc":{"m":1}}`, false},
	} {
		data, err := decode([]byte(c.data))
		if err != nil {
			t.Fatal(err)
		}
		u := &Userdata{Data: encode(data), Wrap: c.wrap}
		for range 2 { // the first must not change the data
			if got := string(u.merged(map[string]any{"m": 1})); got != c.want {
				t.Errorf("%s: %s, want %s", c.data, got, c.want)
			}
		}
	}
}

// TestEvents has what an enclave sends, and what it never should.
func TestEvents(t *testing.T) {
	log := `{"address": "0xABcd", "topics": ["0xFF", [1, 2]], "data": [0, 255], "removed": false, "block_number": 7, "transaction_hash": null, "else": 1}`
	received := time.Date(2026, 11, 21, 22, 0, 0, 120_000_000, time.UTC)
	for _, c := range []struct{ payload, want string }{
		{`{"handler": "run", "event_payload": null}`, `{"kind":"launch","payload":{}}`},
		{`{"handler": "run"}`, `{"kind":"launch","payload":{}}`},
		{`{"handler": "run", "event_payload": ` + log + `}`, `{"kind":"web3_log","payload":{"address":"0xabcd","block_hash":null,"block_number":7,"data":"0x00ff","log_index":null,"removed":false,"topics":["0xff","0x0102"],"transaction_hash":null,"transaction_index":null}}`},
		{`{"handler": "run", "event_payload": {"address": "0x", "topics": [], "data": "0x"}}`, `{"kind":"unknown","payload":{}}`},
		{`{"handler": "run", "event_payload": {"address": "0x", "topics": [], "data": [], "removed": true}}`, `{"kind":"web3_log","payload":{"address":"0x","block_hash":null,"block_number":null,"data":"0x","log_index":null,"removed":true,"topics":[],"transaction_hash":null,"transaction_index":null}}`},
		{`{"handler": "run", "event_payload": {"address": 5, "topics": [], "data": "0x", "removed": true}}`, `{"kind":"unknown","payload":{}}`},
		{"{\"handler\": \"\xff\", \"event_payload\": null}", ""},
		{`{"handler": "run", "event_payload": 7}`, `{"kind":"unknown","payload":{}}`},
		{`[]`, ""}, {`{}`, ""}, {`{"handler": 1}`, ""}, {``, ""}, {`{"handler": "run"`, ""},
	} {
		cause, _, err := event([]byte(c.payload), "run")
		if err != nil {
			if c.want != "" {
				t.Errorf("%s: %v", c.payload, err)
			}
			continue
		}
		got := cause.metadata("order", "instance", received)
		if event := string(encode(got["event"])); event != c.want {
			t.Errorf("%s: %s, want %s", c.payload, event, c.want)
		}
		if rest := string(encode(map[string]any{"worker": got["worker"], "invocation": got["invocation"]})); rest != `{"invocation":{"handler":"run","received_at":"2026-11-21T22:00:00.120+00:00","type":"event"},"worker":{"instance_id":"instance","vm":"nxcc/zenroom","worker_id":"order"}}` {
			t.Error(rest)
		}
	}
}

// TestRequest has requests become metadata.
func TestRequest(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{Method: "GET", URI: "/a?b=c"}, `{"body_base64":"","headers":{},"method":"GET","url":"http://localhost/a?b=c"}`},
		{Request{Method: "POST", URI: "/", Body: []byte{0, 255}, Headers: []Header{{"Host", []byte("h:1")}, {"X-A", []byte("1")}, {"x-a", []byte("2\xff")}, {"X-Forwarded-Proto", []byte("https, http")}}},
			`{"body_base64":"AP8=","headers":{"host":"h:1","x-a":"1, 2�","x-forwarded-proto":"https, http"},"method":"POST","url":"https://h:1/"}`},
		{Request{URI: "/", Headers: []Header{{"host", []byte("in")}, {"x-forwarded-host", []byte("out")}}}, `{"body_base64":"","headers":{"host":"in","x-forwarded-host":"out"},"method":"","url":"http://out/"}`},
	} {
		if got := string(encode(c.request.cause().metadata("w", "i", time.Unix(0, 0))["http"])); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// TestTimestamp writes times as chrono does.
func TestTimestamp(t *testing.T) {
	for nanos, want := range map[int]string{0: "", 1: ".000000001", 1000: ".000001", 120_000_000: ".120", 123_456_000: ".123456", 100: ".000000100"} {
		if got := timestamp(time.Date(2026, 1, 2, 3, 4, 5, nanos, time.FixedZone("x", 3600))); got != "2026-01-02T02:04:05"+want+"+00:00" {
			t.Errorf("%d: %s", nanos, got)
		}
	}
}

// FuzzUserdata has any userdata: it is refused, or read.
func FuzzUserdata(f *testing.F) {
	f.Add(`{"zenroom": {"mode": "lua", "inputs": {"data": [1]}}, "postback": {"targets": [{"kind": "http", "url": "x", "headers": {"a": "b"}, "body": {"from": "stdout"}}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if u, err := parseUserdata(text); err == nil && (u.Data == nil || u.Keys == nil || len(u.Postback.Targets) > TargetsMax) {
			t.Errorf("%q: %+v", text, u)
		}
	})
}

// FuzzEvent has any payload.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"handler": "run", "event_payload": {"address": "0xAB", "topics": [[1, 2]], "data": "0x", "removed": true}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if cause, _, err := event(payload, "run"); err == nil && !json.Valid(encode(cause.about)) {
			t.Errorf("%q: %v", payload, cause)
		}
	})
}

// TestNotUTF8 says where a text is none, in Rust's words.
func TestNotUTF8(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "héllo€😀\uFFFD": "",
		"ab\xff":            "invalid utf-8 sequence of 1 bytes from index 2",
		"ab\xe2\x82":        "incomplete utf-8 byte sequence from index 2",
		"ab\xe2\x82x":       "invalid utf-8 sequence of 2 bytes from index 2",
		"é\xf0\x9f\x98zzzz": "invalid utf-8 sequence of 3 bytes from index 2",
		"\xed\xa0\x80":      "invalid utf-8 sequence of 1 bytes from index 0",
		"\xc3":              "incomplete utf-8 byte sequence from index 0",
	} {
		if got := notUTF8([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
