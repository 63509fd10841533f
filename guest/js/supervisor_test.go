package js_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"carrel/guest/js"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/turn"
)

// bundles are the published ones that lockdown and supervisor are, unmodified.
var bundles = []struct{ name, digest string }{
	{"lockdown.bundle", "sha256:40a8ea620c16222d0aba5c07a9d2e549c959b702820529fdbcad5a649602ded5"},
	{"lockdown-debug.bundle", "sha256:cd535ceba6af5554b65596cc7e9258287f235a82f1a0c8b6932cf3758309c0b1"},
	{"supervisor.bundle", "sha256:4751467ce397e39f6445d34eab978d5f7d317f41dba9952b4c6fbbfd49fb9894"},
}

func bundle(t testing.TB, name string) []byte {
	t.Helper()
	b := program(t, name)
	for _, known := range bundles {
		if known.name == name && seal.Sum(b).String() != known.digest {
			t.Fatalf("%s is %s, not %s", name, seal.Sum(b), known.digest)
		}
	}
	return b
}

// lockedDown is an image with bundles; nothing is printed on the way.
func lockedDown(t testing.TB, engine *js.Engine, names ...string) *image.Image {
	t.Helper()
	var all [][]byte
	for _, name := range names {
		all = append(all, bundle(t, name))
	}
	var printed strings.Builder
	img, err := engine.Lockdown(js.Config{Print: js.PrintTo(&printed)}, all...)
	if err != nil {
		t.Fatal(err)
	}
	if printed.Len() > 0 {
		t.Errorf("%v print %q", names, printed.String())
	}
	return img
}

// TestSupervisor holds the published supervisor to what it was seen to do
// elsewhere: testdata/supervisor-deliveries.txt. The worker is stopped, kept and
// restored after every delivery.
func TestSupervisor(t *testing.T) {
	roots := map[string][]string{}
	begin := lockedDown(t, engines(t)["wazero"], "lockdown.bundle", "supervisor.bundle")
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			s := transcript{t: t, lines: transcriptLines(t)}
			img := begin
			if name == "wasmtime" { // the interpreter takes a minute for that
				if img = lockedDown(t, engine, "lockdown.bundle", "supervisor.bundle"); img.Root() != begin.Root() {
					t.Fatal("lockdown and supervisor leave another image than on wazero")
				}
			}
			for len(s.lines) > 0 {
				w, err := engine.Restore(img, js.Config{Command: s.command, Print: s.print})
				if err != nil {
					t.Fatal(err)
				}
				reply, err := w.Deliver([]byte(s.next("CMD")))
				if err != nil || reply.Outcome.Class != turn.Exit || reply.Thrown != nil {
					t.Fatalf("line %d: %+v, %v", s.line, reply, err)
				}
				s.expect("RES", string(reply.Bytes))
				if img, err = w.Snapshot(); err != nil {
					t.Fatal(err)
				}
				w.Close()
				roots[name] = append(roots[name], img.RootString())
			}
		})
	}
	for name, got := range roots {
		if strings.Join(got, " ") != strings.Join(roots["wazero"], " ") {
			t.Errorf("%s leaves other images than wazero: %v, %v", name, got, roots["wazero"])
		}
	}
}

// A transcript is read line by line: CMD and RES to and from the worker, W>K and
// K>W what it asks and is answered.
type transcript struct {
	t     *testing.T
	lines []string
	line  int
}

func transcriptLines(t *testing.T) (lines []string) {
	file, err := os.Open("testdata/supervisor-deliveries.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// next is the rest of the next line, which must begin so. The first command was
// shortened when it was written down: the vat is testdata/counter.js.
func (s *transcript) next(kind string) string {
	s.t.Helper()
	s.line++
	if len(s.lines) == 0 || !strings.HasPrefix(s.lines[0], kind+" ") {
		s.t.Fatalf("line %d: a %s, want %.200q", s.line, kind, s.lines[:min(1, len(s.lines))])
	}
	text := strings.TrimPrefix(s.lines[0], kind+" ")
	s.lines = s.lines[1:]
	if kind == "CMD" && strings.HasSuffix(text, "...") {
		source, err := os.ReadFile("testdata/counter.js")
		if err != nil {
			s.t.Fatal(err)
		}
		b, err := json.Marshal([]any{"setBundle", "v1", map[string]string{"moduleFormat": "getExport", "source": string(source)}, map[string]string{}})
		if err != nil {
			s.t.Fatal(err)
		}
		return string(b)
	}
	return text
}

func (s *transcript) expect(kind, got string) {
	s.t.Helper()
	if want := s.next(kind); got != want {
		s.t.Fatalf("line %d: %s, want %s", s.line, got, want)
	}
}

func (s *transcript) command(message []byte) ([]byte, error) {
	s.expect("W>K", string(message))
	return []byte(s.next("K>W")), nil
}

func (s *transcript) print(line string) error {
	s.t.Errorf("line %d: the supervisor prints %q", s.line, line)
	return nil
}
