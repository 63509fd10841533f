package tar

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/tree"
)

// image makes a tar image by hand.
func image(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.PAXRecords["CARREL.content"]
		h.PAXRecords = nil
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"CARREL.content": content}}
}
func dir(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir} }
func link(kind byte, name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: kind, Linkname: target}
}

// show is a tree as text.
func show(t testing.TB, tr tree.Tree, at string) string {
	t.Helper()
	entries, err := tr.List(at, EntriesMax)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(entries, func(a, b tree.Entry) int { return strings.Compare(a.Name, b.Name) })
	var b strings.Builder
	for _, e := range entries {
		name := path.Join(at, e.Name)
		kind, size, err := tr.Stat(name)
		if err != nil || kind != e.Kind {
			t.Fatalf("stat %s: %v %v, listed as %v", name, kind, err, e.Kind)
		}
		switch kind {
		case tree.Dir:
			fmt.Fprintf(&b, "%s/\n%s", name, show(t, tr, name))
		case tree.Link:
			target, _ := tr.Link(name)
			fmt.Fprintf(&b, "%s -> %s\n", name, target)
		default:
			content, _ := tr.Read(name, size)
			if int64(len(content)) != size {
				t.Fatalf("%s has %d bytes, stat says %d", name, len(content), size)
			}
			fmt.Fprintf(&b, "%s %q\n", name, content)
		}
	}
	return b.String()
}

func TestOpen(t *testing.T) {
	long := strings.Repeat("long/", 60) + "name"
	for name, tt := range map[string]struct {
		headers []tar.Header
		want    string // or an error, after "!"
	}{
		"empty":        {nil, ""},
		"all kinds":    {[]tar.Header{dir("d/"), file("d/f", "x"), link(tar.TypeSymlink, "l", "d/f"), link(tar.TypeLink, "h", "d/f")}, "d/\nd/f \"x\"\nh \"x\"\nl -> d/f\n"},
		"implied":      {[]tar.Header{file("a/b/c", "x")}, "a/\na/b/\na/b/c \"x\"\n"},
		"dots":         {[]tar.Header{dir("./"), file("./a/./b", "x")}, "a/\na/b \"x\"\n"},
		"dir repeated": {[]tar.Header{file("a/b", "x"), dir("a/"), dir("a")}, "a/\na/b \"x\"\n"},
		"long":         {[]tar.Header{file(long, "x")}, "*"},
		"link out":     {[]tar.Header{link(tar.TypeSymlink, "l", "../../etc/passwd")}, "l -> ../../etc/passwd\n"},
		"absolute":     {[]tar.Header{file("/a", "x")}, `!read tar: "/a": absolute path`},
		"dotdot":       {[]tar.Header{file("a/../../b", "x")}, `!read tar: "a/../../b": path with ".."`},
		"dotdot last":  {[]tar.Header{dir("a/..")}, `!read tar: "a/..": path with ".."`},
		"not UTF-8":    {[]tar.Header{file("\xff", "x")}, `!read tar: "\xff": not a path in UTF-8`},
		"twice":        {[]tar.Header{file("a", "x"), file("a", "y")}, `!read tar: "a": occurs twice`},
		"twice, other": {[]tar.Header{file("a", "x"), file("./a", "y")}, `!read tar: "./a": occurs twice`},
		"dir and file": {[]tar.Header{dir("a"), file("a", "y")}, `!read tar: "a": occurs twice`},
		"file and dir": {[]tar.Header{file("a", "x"), dir("a")}, `!read tar: "a": "a" is no directory`},
		"below a file": {[]tar.Header{file("a", "x"), file("a/b", "y")}, `!read tar: "a/b": "a" is no directory`},
		"below a link": {[]tar.Header{link(tar.TypeSymlink, "a", "/etc"), file("a/b", "y")}, `!read tar: "a/b": "a" is no directory`},
		"the root":     {[]tar.Header{file(".", "x")}, `!read tar: ".": occurs twice`},
		"hard out":     {[]tar.Header{link(tar.TypeLink, "h", "../x")}, `!read tar: "h": hard link: path with ".."`},
		"hard nowhere": {[]tar.Header{link(tar.TypeLink, "h", "x")}, `!read tar: "h": hard link to "x", which is no file before it`},
		"hard to dir":  {[]tar.Header{dir("d"), link(tar.TypeLink, "h", "d")}, `!read tar: "h": hard link to "d", which is no file before it`},
		"hard to link": {[]tar.Header{link(tar.TypeSymlink, "l", "x"), link(tar.TypeLink, "h", "l")}, `!read tar: "h": hard link to "l", which is no file before it`},
		"device":       {[]tar.Header{{Name: "null", Typeflag: tar.TypeChar}}, `!read tar: "null": type '3' is not a file, directory or link`},
		"pipe":         {[]tar.Header{{Name: "p", Typeflag: tar.TypeFifo}}, `!read tar: "p": type '6' is not a file, directory or link`},
		"no target":    {[]tar.Header{link(tar.TypeSymlink, "l", "")}, `!read tar: "l": link target is not a path in UTF-8`},
	} {
		opened, err := Open(image(t, tt.headers...))
		got := ""
		if err != nil {
			got = "!" + err.Error()
		} else {
			got = show(t, opened, ".")
		}
		if tt.want == "*" && strings.Contains(got, long+" \"x\"") {
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Images that are damaged or lie about themselves.
func TestDamaged(t *testing.T) {
	whole := image(t, file("a", strings.Repeat("x", 2000)), file("b", "y"))
	for _, n := range []int{1, 100, 513, 1000, 2560, 2561, 3000} {
		if opened, err := Open(whole[:n]); err == nil {
			t.Errorf("cut to %d bytes: %.100s", n, show(t, opened, "."))
		}
	}
	big := bytes.Clone(whole)
	copy(big[124:136], "77777777777\x00") // 8 GiB
	checksum(big[:512])
	if _, err := Open(big); err == nil {
		t.Error("a file of 8 GiB in a small image")
	}
	for magic := range map[string]bool{"\x1f\x8b\x08": true, "BZh9": true, "\x28\xb5\x2f\xfd": true} {
		if _, err := Open([]byte(magic + strings.Repeat("x", 1024))); err == nil || !strings.Contains(err.Error(), "compressed") {
			t.Errorf("compressed: %v", err)
		}
	}
}

func checksum(header []byte) {
	copy(header[148:156], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// The bytes of an image are fixed by what is in it.
func TestWrite(t *testing.T) {
	files := []tree.Change{
		{Path: "z", Kind: tree.Link, Target: "d/f"},
		{Path: "d", Kind: tree.Dir},
		{Path: "d/f", Kind: tree.File, Data: []byte("content")},
		{Path: "d/" + strings.Repeat("n", 200), Kind: tree.File},
		{Path: "ä/" + strings.Repeat("p/", 100) + "f", Kind: tree.File, Data: []byte("deep")},
		{Path: "l", Kind: tree.Link, Target: strings.Repeat("t", 300)},
	}
	var b, c bytes.Buffer
	if err := Write(&b, files); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	if err := Write(&c, files); err != nil || !bytes.Equal(b.Bytes(), c.Bytes()) {
		t.Errorf("the order matters: %v", err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(b.Bytes())); got != golden(t, got) {
		t.Errorf("image is %s", got)
	}
	opened, err := Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		kind, size, err := opened.Stat(f.Path)
		content, _ := opened.Read(f.Path, size)
		target, _ := opened.Link(f.Path)
		if kind != f.Kind || err != nil || string(content) != string(f.Data) || target != f.Target {
			t.Errorf("%s: %v %v %q %q", f.Path, kind, err, content, target)
		}
	}
}

func golden(t *testing.T, got string) string {
	t.Helper()
	const name = "testdata/image.sha256"
	want, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		if err := os.WriteFile(name, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("%s was missing: written", name)
	}
	return strings.TrimSpace(string(want))
}

// Whatever the bytes, there is a tree that lies in itself, or an error; and
// what can be read can be written and read again.
func FuzzOpen(f *testing.F) {
	f.Add(image(f, dir("d/"), file("d/f", "x"), link(tar.TypeSymlink, "l", "d/f"), link(tar.TypeLink, "h", "d/f")))
	f.Add(image(f, file(strings.Repeat("long/", 60)+"f", "x")))
	f.Add(image(f, file("a", "x"), file("a/b", "y")))
	f.Fuzz(func(t *testing.T, data []byte) {
		opened, err := Open(data)
		if err != nil {
			return
		}
		var files []tree.Change
		for name, n := range opened.nodes {
			if !fs.ValidPath(name) {
				t.Fatalf("path %q", name)
			}
			if name != "." {
				files = append(files, tree.Change{Path: name, Kind: n.kind, Data: n.data, Target: n.target})
			}
		}
		text := show(t, opened, ".")
		var b bytes.Buffer
		if err := Write(&b, files); err != nil {
			t.Fatal(err)
		}
		again, err := Open(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, show(t, again, ".")); diff != "" {
			t.Fatal(diff)
		}
	})
}
