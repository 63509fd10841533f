package nxcc

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// sealed is an envelope of nXCC around a payload.
func sealed(kind, payload string) string {
	return fmt.Sprintf(`{"payload": %q, "payloadType": %q, "signatures": [{"keyid": "bench-key", "sig": "YmVuY2hlcw=="}]}`, base64.StdEncoding.EncodeToString([]byte(payload)), kind)
}

// bundleOf is a bundle of a script.
func bundleOf(vm, script string) string {
	return sealed(typeBundle, fmt.Sprintf(`{"vm": %q, "executable": %q, "metadata": {}}`, vm, base64.StdEncoding.EncodeToString([]byte(script))))
}

// TestManifest reads workers of all forms.
func TestManifest(t *testing.T) {
	bundle := bundleOf(vmID, "the script")
	sum := sha512.Sum512([]byte(bundle))
	list := strings.ReplaceAll(strings.Trim(fmt.Sprint(sum[:]), "[]"), " ", ",")
	files := map[string]string{"./a.zen": "the script", "a.zen": "the script", "/x/a.zen": "the script", "bundle.json": bundle, "js.json": bundleOf("nxcc/workerd", "x"), "order.json": sealed(typeOrder, "{}")}
	open := func(path string) ([]byte, error) {
		if content, ok := files[path]; ok {
			return []byte(content), nil
		}
		return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
	}
	plain := &Manifest{Script: []byte("the script")}
	full := &Manifest{Script: []byte("the script"), Userdata: `{"zenroom":{"conf":"debug=0"}}`, Secrets: []string{"A", "B"}}
	const rest = `, "identities": [[{"chain": 1}, "A"], [{}, "B"]], "userdata": {"zenroom": {"conf": "debug=0"}}, "events": [], "else": 1}`
	for _, c := range []struct {
		name, text string
		want       *Manifest
		err        string
	}{
		{"a path", `{"bundle": {"source": "./a.zen"}}`, plain, ""},
		{"all", `{"vm": "nxcc/zenroom", "bundle": {"source": "a.zen", "vm": "nxcc/zenroom"}` + rest, full, ""},
		{"a file URL", `{"bundle": {"source": "file:///x/a.zen"}}`, plain, ""},
		{"a bundle", `{"bundle": {"source": "bundle.json"}` + rest, full, ""},
		{"a data URL", `{"bundle": {"source": "data:application/json;base64,` + base64.StdEncoding.EncodeToString([]byte(bundle)) + `"}` + rest, full, ""},
		{"a data URL with percents", `{"bundle": {"source": "data:,the%20script"}}`, plain, ""},
		{"a hash of bytes", `{"bundle": {"source": "bundle.json", "hash": [` + list + `]}}`, plain, ""},
		{"a hash of digits", `{"bundle": {"source": "bundle.json", "hash": "0x` + strings.ToUpper(hex.EncodeToString(sum[:])) + `"}}`, plain, ""},
		{"no hash", `{"bundle": {"source": "bundle.json", "hash": null}, "identities": null, "userdata": null}`, plain, ""},
		{"a bundle alone", bundle, plain, ""},
		{"a work order", sealed(typeOrder, `{"id": "x", "worker": {"bundle": {"source": "bundle.json"}`+rest+`, "events": []}`), full, ""},

		{"another hash", `{"bundle": {"source": "a.zen", "hash": [` + list + `]}}`, nil, "bundle.hash: the bundle has "},
		{"a short hash", `{"bundle": {"source": "a.zen", "hash": "00"}}`, nil, "bundle.hash: 64 bytes are wanted"},
		{"no bundle", `{}`, nil, "bundle.source: a text is wanted, not null"},
		{"no file", `{"bundle": {"source": "none.zen"}}`, nil, "bundle.source: open none.zen: file does not exist"},
		{"http", `{"bundle": {"source": "https://example.com/a.zen"}}`, nil, "bundle.source: https://example.com/a.zen: only files and data: are read; fetch it first"},
		{"another VM", `{"vm": "nxcc/workerd", "bundle": {"source": "a.zen"}}`, nil, `vm: "nxcc/workerd" is another VM: here is nxcc/zenroom`},
		{"another VM of the bundle", `{"bundle": {"source": "a.zen", "vm": "x"}}`, nil, `bundle.vm: "x" is another VM`},
		{"another VM in the bundle", `{"bundle": {"source": "js.json"}}`, nil, `bundle.source: payload.vm: "nxcc/workerd" is another VM`},
		{"identities", `{"bundle": {"source": "a.zen"}, "identities": [["x"]]}`, nil, `identities[0]: an identity and a name is wanted`},
		{"a name", `{"bundle": {"source": "a.zen"}, "identities": [[{}, 7]]}`, nil, `identities[0][1]: a text is wanted, not 7`},
		{"userdata", `{"bundle": {"source": "a.zen"}, "userdata": []}`, nil, `userdata: an object is wanted, not []`},
		{"an order of an order", `{"bundle": {"source": "order.json"}}`, nil, "bundle.source: payload.worker: an object is wanted, not null"},
		{"another type", sealed("text/plain", "{}"), nil, `payloadType: "text/plain" is neither`},
		{"a broken payload", `{"payloadType": "x", "payload": "!"}`, nil, "payload: illegal base64"},
		{"no payload", `{"payloadType": "x"}`, nil, "payload: a text is wanted, not null"},
		{"no JSON", `{`, nil, "unexpected EOF"},
		{"a list", `[]`, nil, "the worker: an object is wanted, not []"},
	} {
		got, err := ReadManifest([]byte(c.text), open)
		if !reflect.DeepEqual(got, c.want) && !(c.want == nil && err != nil) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %+v, %v\nwant %+v, %s", c.name, got, err, c.want, c.err)
		}
	}
}

// TestReadRequest reads requests.
func TestReadRequest(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "GET / []  <nil>",
		`{"method": "PUT", "uri": "/a?b", "headers": {"X": ["1", "2"], "A": "b"}, "body": "text"}`: "PUT /a?b [{A [98]} {X [49]} {X [50]}] text <nil>",
		`{"body": {"b": 1, "a": [2.50]}}`: `GET / [] {"a":[2.50],"b":1} <nil>`,
		`{"body_base64": "aGk="}`:         "GET / [] hi <nil>",
	} {
		r, err := ReadRequest([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := fmt.Sprintln(r.Method, r.URI, r.Headers, string(r.Body), err); got != want+"\n" {
			t.Errorf("%s: %swant %s", text, got, want)
		}
	}
	for text, want := range map[string]string{`[]`: "the request: an object is wanted", `{"headers": {"a": 1}}`: "headers.a[0]: a text is wanted, not 1", `{"body_base64": "!"}`: "body_base64: illegal", `{"method": 1}`: "method: a text", `{`: "unexpected EOF"} {
		if r, err := ReadRequest([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", text, r, err)
		}
	}
}

// FuzzManifest has any text: it is refused, or read.
func FuzzManifest(f *testing.F) {
	f.Add(bundleOf(vmID, "x"))
	f.Add(sealed(typeOrder, `{"worker": {"bundle": {"source": "data:,x", "hash": [1]}, "identities": [[{}, "A"]]}}`))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ReadManifest([]byte(text), func(string) ([]byte, error) { return []byte("x"), nil })
		if (m == nil) == (err == nil) {
			t.Errorf("%q: %+v, %v", text, m, err)
		}
	})
}
