package bundle_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"carrel/guest/js/bundle"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"moduleFormat":"getExport","source":"() => {}","sourceMap":""}`, ""},
		{`{"source":"() => {}","moduleFormat":"nestedEvaluate"}`, ""},
		{`{"moduleFormat":"getExport","source":" "}`, "bundle: a getExport has a source, and this has none"},
		{`{"moduleFormat":"endoZipBase64","endoZipBase64":"AAAA"}`, "bundle: an endoZipBase64 has endoZipBase64 and endoZipBase64Sha512, and this lacks one"},
		{`{"moduleFormat":"endoScript","source":"1"}`, `bundle: the moduleFormat "endoScript" is not known: getExport, nestedEvaluate and endoZipBase64 are`},
		{`{}`, "bundle: it has no moduleFormat"},
		{`{"moduleFormat":"endoZipBase64","endoZipBase64":"?"}`, "bundle: illegal base64 data at input byte 0"},
		{"\xff", "bundle: it is no UTF-8"},
		{`[`, "bundle: unexpected end of JSON input"},
	} {
		_, err := bundle.Read([]byte(c.text))
		if got := fmt.Sprint(err); got != c.want && !(err == nil && c.want == "") {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

// TestEncode holds what is written to JSON.stringify.
func TestEncode(t *testing.T) {
	b := &bundle.Bundle{Format: bundle.GetExport, Source: "() => '<\u2028\u00e9>&\\\"\b\x01\x7f\n'"}
	text, err := b.Encode()
	if want := `{"moduleFormat":"getExport","source":"() => '<` + "\u2028\u00e9" + `>&\\\"\b\u0001` + "\x7f" + `\n'","sourceMap":""}`; err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
	if again, err := bundle.Read(text); err != nil || again.Source != b.Source {
		t.Errorf("%+v, %v", again, err)
	}
}

// archive makes an EndoZip of files. A module MAP is the compartment map, in
// which HASH(file) is a hash.
func archive(t *testing.T, files ...[2]string) *bundle.Bundle {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	hash := strings.Repeat("0", 128)
	sums := []string{}
	for _, f := range files {
		sum := sha512.Sum512([]byte(f[1]))
		sums = append(sums, "HASH("+f[0]+")", hex.EncodeToString(sum[:]))
	}
	for _, f := range files {
		name, text := f[0], f[1]
		if name == "MAP" {
			name, text = "compartment-map.json", strings.NewReplacer(sums...).Replace(text)
			sum := sha512.Sum512([]byte(text))
			hash = hex.EncodeToString(sum[:])
		}
		file, err := w.CreateHeader(&zip.FileHeader{Name: name})
		if err == nil {
			_, err = file.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"moduleFormat":"endoZipBase64","endoZipBase64":%q,"endoZipBase64Sha512":%q}`, base64.StdEncoding.EncodeToString(b.Bytes()), hash)
	made, err := bundle.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

const oneMap = `{"entry":{"compartment":"a-v1","module":"./main.js"},"compartments":{
"a-v1":{"name":"a","label":"a-v1.0.0","modules":{
"./main.js":{"location":"main.js","parser":"mjs","sha512":"HASH(a-v1/main.js)"},
"b":{"compartment":"b-v2","module":"."},"fs":{"exit":"fs"}}},
"b-v2":{"label":"b-v2.0.0","modules":{".":{"module":"./b.json"},"./b.json":{"location":"b.json","parser":"json","sha512":"HASH(b-v2/b.json)"}}}}}`

func TestOpen(t *testing.T) {
	main, b, m := [2]string{"a-v1/main.js", "export {}"}, [2]string{"b-v2/b.json", "1"}, [2]string{"MAP", oneMap}
	good := archive(t, m, main, b)
	got, err := good.Open()
	if err != nil {
		t.Fatal(err)
	}
	if got.Entry != (bundle.Reference{Compartment: "a-v1", Module: "./main.js"}) || got.Compartments["a-v1"].Modules["./main.js"].Text != "export {}" ||
		got.Compartments["b-v2"].Modules["."].To != (bundle.Reference{Compartment: "b-v2", Module: "./b.json"}) || got.Compartments["a-v1"].Modules["fs"].Exit != "fs" {
		t.Errorf("%+v", got)
	}
	if id, err := good.ID(); err != nil || id != "b1-"+good.ZipHash {
		t.Errorf("ID %s, %v", id, err)
	}
	lie := *good
	lie.ZipHash = strings.Repeat("0", 128)
	if _, err := lie.Open(); err == nil || !strings.HasPrefix(err.Error(), "bundle: archive: the SHA-512 of compartment-map.json is ") {
		t.Errorf("with another hash: %v", err)
	}
	for _, c := range []struct {
		bundle *bundle.Bundle
		want   string
	}{
		{archive(t, m, main), `"b-v2/b.json" is not there`},
		{archive(t, main, b), "it has no compartment-map.json"},
		{archive(t, m, main, b, [2]string{"a-v1/more.js", ""}), `"a-v1/more.js" is in no compartment`},
		{archive(t, m, main, b, main), `"a-v1/main.js" is there twice`},
		{archive(t, [2]string{"MAP", strings.Replace(oneMap, "HASH(b-v2/b.json)", "", 1)}, main, b), `the SHA-512 of "b-v2/b.json" is `},
		{archive(t, [2]string{"MAP", "["}), "compartment-map.json: unexpected end of JSON input"},
		{&bundle.Bundle{Format: bundle.EndoZip, Zip: []byte("zip"), ZipHash: "0"}, "zip: not a valid zip file"},
	} {
		if _, err := c.bundle.Open(); err == nil || !strings.HasPrefix(err.Error(), "bundle: archive: "+c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"moduleFormat":"getExport","source":"() => {}","sourceMap":""}`))
	f.Add([]byte(`{"moduleFormat":"endoZipBase64","endoZipBase64":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","endoZipBase64Sha512":"0"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := bundle.Read(text)
		if err != nil {
			return
		}
		if b.Format == bundle.EndoZip {
			_, _ = b.Open()
			return
		}
		once, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := bundle.Read(once)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := again.Encode(); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s becomes %s, %v", once, twice, err)
		}
	})
}
