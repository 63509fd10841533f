package lockdown_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"carrel/guest/js/bundle"
	"carrel/npm/lockdown"
	"carrel/npm/npmtest"
)

var record = flag.Bool("record", false, "write the hashes of what is made into dist")

// TestMake makes the bundles of the packages that make programs fetched, in
// another place than anybody's, and holds them to the recorded hashes.
func TestMake(t *testing.T) {
	made, err := lockdown.Make(context.Background(), t.TempDir(), npmtest.Archives(t))
	if err != nil {
		t.Fatal(err)
	}
	for v, text := range made {
		got := bundle.Hash(text)
		if *record {
			if err := os.WriteFile(filepath.Join("dist", string(v)+".sha256"), []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if got != v.SHA256() {
			t.Errorf("%s has the SHA-256 %s, not %s: if that is meant, go test ./npm/lockdown -run TestMake -record", v, got, v.SHA256())
		}
	}
	if bytes.Equal(made[lockdown.Secure], made[lockdown.Debug]) {
		t.Error("debug is the same")
	}
	for _, v := range []lockdown.Variant{lockdown.Secure, lockdown.Debug} {
		if !bytes.HasPrefix(made[v], []byte(`{"moduleFormat":"nestedEvaluate","source":"(`)) || !bytes.HasSuffix(made[v], []byte(`","sourceMap":""}`)) {
			t.Errorf("%s: %.60s … %s", v, made[v], made[v][len(made[v])-30:])
		}
		noVersions(t, v, made[v])
	}
	inspector := made[lockdown.Inspector]
	if !bytes.HasPrefix(inspector, []byte(`export default {"moduleFormat":"getExport","source":"(`)) || !bytes.HasSuffix(inspector, []byte("};\n")) {
		t.Errorf("%s: %.60s", lockdown.Inspector, inspector)
	}
}

// noVersions fails if a version of a package that is in a bundle is written in
// it, or a path of this machine.
func noVersions(t *testing.T, v lockdown.Variant, text []byte) {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(lock, &file); err != nil {
		t.Fatal(err)
	}
	for name, p := range file.Packages {
		if found := regexp.MustCompile(`[^0-9.]` + regexp.QuoteMeta(p.Version) + `[^0-9.]`).Find(text); found != nil {
			t.Errorf("%s holds the version of %s: %q", v, name, found)
		}
	}
	for _, path := range []string{os.TempDir(), "/tmp", "/home", ".carrel"} {
		if bytes.Contains(text, []byte(path+"/")) {
			t.Errorf("%s holds the path %s", v, path)
		}
	}
}
