package bundler_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"carrel/guest/js/bundle"
	"carrel/npm/bundler"
)

// archive is an EndoZip of one package, with modules by their languages and
// texts. The entry is ./a.
func archive(t testing.TB, modules map[string][2]string) *bundle.Bundle {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	write := func(name, text string) string {
		file, err := w.Create(name)
		if err == nil {
			_, err = file.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum512([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	described := map[string]map[string]string{}
	for name, m := range modules {
		if m[0] == "exit" {
			described[name] = map[string]string{"exit": m[1]}
			continue
		}
		location := strings.TrimPrefix(name, "./")
		described[name] = map[string]string{"location": location, "parser": m[0], "sha512": write("p/"+location, m[1])}
	}
	text, err := json.Marshal(map[string]any{
		"entry":        map[string]string{"compartment": "p", "module": "./a"},
		"compartments": map[string]any{"p": map[string]any{"modules": described}},
	})
	if err != nil {
		t.Fatal(err)
	}
	hash := write("compartment-map.json", string(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &bundle.Bundle{Format: bundle.EndoZip, Zip: b.Bytes(), ZipHash: hash}
}

func TestLink(t *testing.T) {
	for _, c := range []struct {
		name    string
		modules map[string][2]string
		want    string // what is printed, or the error
	}{
		{"CommonJS that replaces its exports, and one that needs it in a circle", map[string][2]string{
			"./a": {"pre-cjs-json", `{"imports":["./b"],"source":"(function (require, exports, module, f, d) { exports.early = 1; const b = require('./b'); module.exports = { b: b.seen, f, d }; })"}`},
			"./b": {"pre-cjs-json", `{"imports":["./a"],"source":"(function (require, exports) { exports.seen = require('./a').early; })"}`},
		}, `{"b":1,"d":"/p","default":{"b":1,"f":"/p/a","d":"/p"},"f":"/p/a"}`},
		{"a module of the host", map[string][2]string{
			"./a":  {"pre-cjs-json", `{"imports":["host"],"source":"(function (require, exports) { try { require('host') } catch (e) { exports.text = e.message } })"}`},
			"host": {"exit", "fs"},
		}, `{"default":{"text":"Cannot import host module: fs"},"text":"Cannot import host module: fs"}`},
		{"an error, each time", map[string][2]string{
			"./a": {"pre-cjs-json", `{"imports":["./b"],"source":"(function (require, exports) { exports.all = [1, 2].map(() => { try { require('./b') } catch (e) { return e } }) })"}`},
			"./b": {"pre-cjs-json", `{"source":"(function () { throw 'no' })"}`},
		}, `{"all":["no","no"],"default":{"all":["no","no"]}}`},
		{"text", map[string][2]string{"./a": {"text", "import(x)"}}, `{"default":"import(x)"}`},
		{"a source", map[string][2]string{"./a": {"mjs", "export {}"}}, `link: "./a" of "p": it is "mjs": only what is prepared can be linked`},
		{"an import that is not there", map[string][2]string{"./a": {"pre-mjs-json", `{"imports":["./b"]}`}}, `link: "./a" of "p": compartment "p" has no module "./b"`},
		{"no language", map[string][2]string{"./a": {"pre-mjs-json", `{"__syncModuleProgram__":"}"}`}}, `link: "./a" of "p": Unexpected "}"`},
		{"no JSON", map[string][2]string{"./a": {"json", `{`}}, `link: "./a" of "p": it is no JSON`},
		{"no entry", map[string][2]string{"./b": {"json", `{}`}}, `link: compartment "p" has no module "./a"`},
	} {
		linked, err := bundler.Link(archive(t, c.modules), bundle.NestedEvaluate)
		if err != nil {
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			continue
		}
		if got := node(t, linked, "console.log(JSON.stringify(exports))"); got != c.want+"\n" {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add("pre-mjs-json", `{"imports":["./b"],"__liveExportMap__":{"a":["a",true]},"__syncModuleProgram__":"({imports}) => { a = 1 }"}`)
	f.Add("pre-cjs-json", `{"imports":["./a"],"source":"(function () {})"}`)
	f.Add("json", `{}`)
	f.Fuzz(func(t *testing.T, parser, text string) {
		linked, err := bundler.Link(archive(t, map[string][2]string{"./a": {parser, text}, "./b": {"text", ""}}), bundle.NestedEvaluate)
		if err != nil {
			return
		}
		if _, err := linked.Encode(); err != nil {
			t.Error(err)
		}
	})
}
