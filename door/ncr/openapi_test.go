package ncr_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"carrel/door/ncr"
)

// described is what a handler's OpenAPI document says, if it is one.
func described(t *testing.T, folder map[string]string) *openapi3.T {
	t.Helper()
	w := request("GET /openapi.json").do(newHandler(t, ncr.Options{Folder: files(folder), Executor: executor(nil)}))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	document, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, w.Body)
	}
	if err := document.Validate(context.Background(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Fatalf("%v\n%s", err, w.Body)
	}
	return document
}

// TestOpenAPI has the document be valid, and say what is served.
func TestOpenAPI(t *testing.T) {
	document := described(t, scripts)
	for path, want := range map[string][]string{
		"/hello": {"GET", "POST"}, "/hello/raw": {"GET"}, "/hello/app": {"GET"}, "/post": {"POST"}, "/a%20b/%C3%BC": {"GET", "POST"},
		"/get": nil, "/get/raw": nil, "/hidden": nil, "/bad": nil, "/docs": nil,
	} {
		var got []string
		if item := document.Paths.Value(path); item != nil {
			got = slices.Sorted(maps.Keys(item.Operations()))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	hello := document.Paths.Value("/hello")
	if hello.Post.Summary != "Greets." || hello.Post.Description != "Greets.\nBy name." {
		t.Errorf("what hello says of itself: %q, %q", hello.Post.Summary, hello.Post.Description)
	}
	example := hello.Post.RequestBody.Value.Content["application/json"].Examples["data"].Value.Value
	if text, _ := json.Marshal(example); string(text) != `{"name":"Ada"}` {
		t.Errorf("the example of hello: %s", text)
	}
	if p := hello.Get.Parameters[0].Value; p.Name != "name" || !p.Required || !p.Schema.Value.Type.Is("string") {
		t.Errorf("the query of hello: %+v", p)
	}
	if text := document.Paths.Value("/sub/sign").Post.Summary; text != "Signs a message" {
		t.Errorf("the scenario of sign: %q", text)
	}
	order := document.Paths.Value("/order").Post.RequestBody.Value.Content["application/json"].Schema.Value
	if price := order.Properties["price"].Value; price == nil || !price.Type.Is("number") {
		t.Errorf("what order's schema refers to: %+v", order.Properties)
	}
	if form := document.Paths.Value("/form").Post.RequestBody.Value.Content; form["application/x-www-form-urlencoded"] == nil {
		t.Errorf("the type of form: %v", form)
	}
	if document.Paths.Value("/fails").Get.Responses.Value("418") == nil || document.Paths.Value("/headers").Get.Responses.Value("302") == nil {
		t.Error("the codes that metadata says are not there")
	}
}

// TestOpenAPIOdd has folders of odd kinds give a valid document.
func TestOpenAPIOdd(t *testing.T) {
	for name, folder := range map[string]map[string]string{
		"empty":           {},
		"names":           {"a/b.lua": "", "a_b.lua": "", "a-b.lua": "", "Problem.lua": "", "a.b.lua": "", "日本.zen": "Given nothing", "'\"<&>.lua": "", "x/raw.lua": "", "x.lua": ""},
		"a boolean":       {"a.lua": "", "a.schema.json": "true"},
		"itself":          {"a.lua": "", "a.schema.json": `{"$id": "http://example.com/a", "$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#/definitions/b"}, "$id": {"type": "string"}, "$ref": {"type": "string"}}, "definitions": {"b": {"type": "string"}}}`},
		"old":             {"a.lua": "", "a.schema.json": `{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "properties": {"a": {"type": "integer"}}}`},
		"examples":        {"a.lua": "", "a.metadata.json": `{"examples": {"one": {"value": {"x": 1}, "summary": "One", "other": 1}, "two": 7, "three": {"x": 1}}, "tags": ["A", "B"]}`},
		"a large example": {"a.lua": "", "a.data.json": `"` + strings.Repeat("x", 1<<20) + `"`},
		"HTML":            {"a.lua": "-- <script>alert(1)</script> </html>\n", "a.data.json": `"</script><script>alert(1)</script>"`},
		"statements":      {"a.zen": "Given I have a 'string' named ''\nand I have a ' ' named 'a'\nand I have a 'array' named 'b'\nand I have a 'string array' named 'c d' in 'e f'\nand I have a 'number' named 'g' in 'e f'\nand I have a 'string dictionary' named 'h'\nand I have a 'ecdh public key' from 'Bob'\nand I have a 'keyring'\nThen print data\n"},
	} {
		t.Run(name, func(t *testing.T) {
			document := described(t, folder)
			if name != "statements" {
				return
			}
			schema := document.Components.Schemas["a"].Value
			var got []string
			for name, property := range schema.Properties {
				text, err := property.Value.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, name+" "+string(text))
			}
			slices.Sort(got)
			if want := []string{
				`a {"description":" "}`, `b {"items":{},"type":"array"}`,
				`e_f {"properties":{"c_d":{"items":{"type":"string"},"type":"array"},"g":{"type":"number"}},"type":"object"}`,
				`h {"type":"object"}`, `keyring {"description":"keyring"}`,
			}; !slices.Equal(got, want) || !slices.Equal(schema.Required, []string{"a", "b", "e_f", "h", "keyring"}) {
				t.Errorf("derived: %s, required %q", strings.Join(got, "\n"), schema.Required)
			}
		})
	}
}

// TestPages has pages that use nothing from elsewhere, and have nothing in them that a
// script's name or comment could say.
func TestPages(t *testing.T) {
	h := newHandler(t, ncr.Options{Executor: executor(nil), Folder: files(map[string]string{
		"'\"<script>alert(1)<.lua": "-- <script>alert(2)</script>\n", "a/b/c.lua": "", "bad<b>.lua": "", "bad<b>.metadata.json": "{", "docs.lua": "",
	})})
	elsewhere := regexp.MustCompile(`(?i)(src|href|action|url|import|fetch)\s*[=(]\s*["']?\s*(https?:|//|data:)`)
	for _, target := range []string{"/", "/docs", "/a/b/c/app", "/'\"<script>alert(1)</app", "/docs/page.css", "/docs/page.js", "/docs/page.svg"} {
		a := request("GET " + target)
		a.header = []string{"Accept: text/html,application/xhtml+xml"}
		w := a.do(h)
		body := w.Body.String()
		if w.Code != http.StatusOK || elsewhere.MatchString(body) {
			t.Errorf("%s: %d, %q", target, w.Code, elsewhere.FindString(body))
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: its policy is %q", target, policy)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "style=") || regexp.MustCompile(`\son\w+=`).MatchString(body) || strings.Contains(body, "bad<b>") {
			t.Errorf("%s has code or marks in it:\n%s", target, body)
		}
	}
	for target, root := range map[string]string{"/docs": `data-root="./"`, "/a/b/c/app": `data-root="../../../"`} {
		if body := request("GET " + target).do(h).Body.String(); !strings.Contains(body, root) {
			t.Errorf("%s: not %s", target, root)
		}
	}
}

// FuzzRequests has requests and files of strangers: the answer is one of HTTP, and an
// error is JSON.
func FuzzRequests(f *testing.F) {
	f.Add("GET", "/hello", "name=x", "", `{"error_code": 500}`, `{"type": "object"}`)
	f.Add("POST", "/hello", "", `{"name": 1}`, `{"http_headers": true, "content_type": "application/json"}`, `{"properties": {"name": {"$ref": "#/$defs/a/b"}}, "required": [1]}`)
	f.Add("POST", "/hello/raw", "%", `[`, `{"examples": {"a": {"value": 1}}, "precondition": "../x"}`, `true`)
	f.Fuzz(func(t *testing.T, method, path, query, body, metadata, schema string) {
		folder := files(map[string]string{"hello.zen": helloScript + body, "hello.metadata.json": metadata, "hello.schema.json": schema})
		h := newHandler(t, ncr.Options{Folder: folder, Executor: executor(echo)})
		for _, target := range []string{path, "/hello", "/openapi.json", "/"} {
			a := ask{method: method, target: target, body: body, header: []string{"Content-Type: application/json"}}
			a.target += "?" + query
			w := a.do(h)
			if w.Code < 200 || w.Code > 599 {
				t.Errorf("%s %q: %d", method, target, w.Code)
			}
			if kind := w.Header().Get("Content-Type"); kind == "application/json" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %q: %d %s", method, target, w.Code, w.Body)
			}
		}
	})
}
