package release_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"carrel/native/release"
)

// settings are those of an environment that has nothing else.
func settings(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

var a, b = strings.Repeat("0a", 32), strings.Repeat("0b", 32)

func TestFind(t *testing.T) {
	const base = "https://github.com/dyne/Zenroom/releases/download"
	for _, c := range []struct {
		name     string
		settings []string
		want     release.Release
	}{
		{"default, arm", []string{"ZENROOM_ARCH=aarch64"},
			release.Release{"v5.29.0", "arm_64", base + "/v5.29.0/zenroom-arm_64-linux.zip", "84722e4284e17cbe861cd09cdd39c8e93e4ca84a983c30326393d13fe41b4938", "cache"}},
		{"default, x86", []string{"TARGETARCH=amd64"},
			release.Release{"v5.29.0", "x86_64", base + "/v5.29.0/zenroom-x86_64-linux.zip", "8d7a60ec8d381a1945f33188c077270d92ef4c02acfed8fe223cc50322918652", "cache"}},
		{"another version", []string{"ZENROOM_TARGETARCH=amd64", "TARGETARCH=arm64", "ZENROOM_VERSION=v5.30.0"},
			release.Release{"v5.30.0", "x86_64", base + "/v5.30.0/zenroom-x86_64-linux.zip", "", "cache"}},
		{"all", []string{"ZENROOM_ARCH=arm64", "ZENROOM_TARGETARCH=amd64", "ZENROOM_VERSION=v1", "ZENROOM_BASE_URL=http://mirror/z/", "ZENROOM_CACHE_DIR=/var/c", "ZENROOM_SHA256_ARM_64=" + strings.ToUpper(a), "ZENROOM_SHA256_X86_64=" + b},
			release.Release{"v1", "arm_64", "http://mirror/z/v1/zenroom-arm_64-linux.zip", a, "/var/c"}},
		{"a URL, a hash", []string{"ZENROOM_ARCH=x86_64", "ZENROOM_URL=http://here/it.zip", "ZENROOM_BASE_URL=http://mirror", "ZENROOM_SHA256=" + a, "ZENROOM_SHA256_X86_64=" + b},
			release.Release{"v5.29.0", "x86_64", "http://here/it.zip", a, "cache"}},
	} {
		if got, err := release.Find(settings(c.settings...), "cache"); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	r, err := release.Find(settings("ZENROOM_ARCH=arm64"), "cache")
	if err != nil || r.Dir() != filepath.Join("cache", "v5.29.0", "arm_64") {
		t.Errorf("%s, %v", r.Dir(), err)
	}
	if r, err := release.Find(settings(), "cache"); (err == nil) != (runtime.GOOS == "linux" && (r.Arch == "x86_64" || r.Arch == "arm_64")) {
		t.Errorf("here: %+v, %v", r, err)
	}
}

func TestFindRefuses(t *testing.T) {
	for _, c := range []struct{ setting, want string }{
		{"ZENROOM_ARCH=riscv64", `no release of Zenroom for the architecture "riscv64"; set ZENROOM_ARCH to arm_64 or x86_64`},
		{"ZENROOM_VERSION=../../etc", `ZENROOM_VERSION: "../../etc" is no version, as in v5.29.0`},
		{"ZENROOM_VERSION=a/b", `ZENROOM_VERSION: "a/b" is no version`},
		{"ZENROOM_VERSION=.", `ZENROOM_VERSION: "." is no version`},
		{"ZENROOM_VERSION=..", `ZENROOM_VERSION: ".." is no version`},
		{"ZENROOM_SHA256=abc", `ZENROOM_SHA256: "abc" is no SHA-256 in hexadecimal`},
		{"ZENROOM_SHA256_X86_64=" + a + "00", "ZENROOM_SHA256_X86_64: "},
	} {
		if r, err := release.Find(settings(c.setting, "ZENROOM_TARGETARCH=amd64"), "cache"); err == nil || !strings.Contains(err.Error(), c.want) || r != (release.Release{}) {
			t.Errorf("%s: %+v, %v", c.setting, r, err)
		}
	}
}

// A member is what a zip holds.
type member struct {
	name, content string
	mode          fs.FileMode
}

// pack makes a zip, and gives it with its hash.
func pack(t *testing.T, members ...member) (content []byte, sum string) {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		header := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		header.SetMode(m.mode)
		to, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write([]byte(m.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(out.Bytes())
	return out.Bytes(), hex.EncodeToString(hash[:])
}

var whole = []member{
	{"zenroom-x86_64-linux/README.md", "read me", 0o644},
	{"zenroom-x86_64-linux/docs/", "", 0o755 | fs.ModeDir},
	{"zenroom-x86_64-linux/zencode-exec", "#!/bin/sh\necho zencode\n", 0o600},
	{"zenroom-x86_64-linux/lua-exec", "#!/bin/sh\necho lua\n", 0o777},
	{"zenroom-x86_64-linux/docs/lua-exec", "another", 0o644},
}

// fetch fetches a zip from a server that has it at one path.
func fetch(t *testing.T, content []byte, pairs ...string) (release.Release, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/v5.29.0/zenroom-x86_64-linux.zip" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(content)
	}))
	defer server.Close()
	all := append([]string{"ZENROOM_ARCH=x86_64", "ZENROOM_BASE_URL=" + server.URL + "/base"}, pairs...)
	r, err := release.Find(settings(all...), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Fetch(context.Background(), r.Dir(), "")
}

func TestFetch(t *testing.T) {
	content, sum := pack(t, whole...)
	r, err := fetch(t, content, "ZENROOM_SHA256="+sum)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(r.Dir())
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	for name, want := range map[string]string{"zencode-exec": whole[2].content, "lua-exec": whole[3].content} {
		info, err := os.Stat(filepath.Join(r.Dir(), name))
		if err != nil || info.Mode() != 0o755 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		if got, err := os.ReadFile(filepath.Join(r.Dir(), name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := release.Check(r.Dir()); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(r.Dir()))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	// Of a file; into a directory that is there, of which nothing is touched.
	file := filepath.Join(t.TempDir(), "it.zip")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	r.Cache = t.TempDir()
	if err := r.Fetch(context.Background(), r.Dir(), file); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(r.Dir(), "zencode-exec")); err != nil {
		t.Fatal(err)
	}
	if err := r.Fetch(context.Background(), r.Dir(), file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where something lacks: %v", err)
	}
}

func TestFetchRefuses(t *testing.T) {
	content, sum := pack(t, whole...)
	good := "ZENROOM_SHA256=" + sum
	for _, c := range []struct {
		name    string
		members []member
		pairs   []string
		want    string
	}{
		{"another hash", nil, []string{"ZENROOM_SHA256=" + a}, "it is not Zenroom v5.29.0 for x86_64: its SHA-256 is " + sum + ", not " + a},
		{"nXCC's hash", nil, nil, "not 8d7a60ec8d38"},
		{"no hash", nil, []string{"ZENROOM_VERSION=v5.30.0"}, "fetch Zenroom v5.30.0 for x86_64: its hash is not known here; set ZENROOM_SHA256_X86_64 to what sha256sum prints of a zenroom-x86_64-linux.zip that you trust"},
		{"not there", nil, []string{good, "ZENROOM_VERSION=v5.30.0"}, "zenroom-x86_64-linux.zip: 404 Not Found"},
		{"no URL", nil, []string{good, "ZENROOM_URL=ftp://here/it"}, `"ftp://here/it" is no URL of http or https: see ZENROOM_URL`},
		{"outside", []member{{"../zencode-exec", "x", 0o755}}, nil, `"../zencode-exec" in it is no place below a directory`},
		{"from the root", append(whole, member{"/etc/passwd", "x", 0o644}), nil, `"/etc/passwd" in it is no place below a directory`},
		{"a link", []member{{"zencode-exec", "/bin/sh", 0o777 | fs.ModeSymlink}}, nil, "there is no zencode-exec in it"},
		{"a directory", []member{{"zencode-exec/", "", 0o755 | fs.ModeDir}, {"lua-exec", "x", 0o755}}, nil, "there is no zencode-exec in it"},
		{"nothing", []member{}, nil, "there is no zencode-exec in it"},
	} {
		zipped, pairs := content, c.pairs
		if c.members != nil {
			var sum string
			zipped, sum = pack(t, c.members...)
			pairs = append(pairs, "ZENROOM_SHA256="+sum)
		}
		r, err := fetch(t, zipped, pairs...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := os.Stat(r.Dir()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something is there, %v", c.name, err)
		}
	}

	garbage := []byte("this is no zip")
	hash := sha256.Sum256(garbage)
	if _, err := fetch(t, garbage, "ZENROOM_SHA256="+hex.EncodeToString(hash[:])); !errors.Is(err, zip.ErrFormat) {
		t.Errorf("no zip: %v", err)
	}
}

// TestBomb has a program that is much larger than its zip.
func TestBomb(t *testing.T) {
	content, sum := pack(t, member{"zencode-exec", strings.Repeat("\x00", 128<<20+1), 0o755})
	if _, err := fetch(t, content, "ZENROOM_SHA256="+sum); err == nil || !strings.Contains(err.Error(), "zencode-exec: it has more than 134217728 bytes") {
		t.Errorf("a zip of %d bytes: %v", len(content), err)
	}
}
