package toolchain

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"carrel/guest/posix"
	"carrel/tree"
)

// texts is a tree of files.
type texts map[string]string

func (t texts) Stat(name string) (tree.Kind, int64, error) {
	text, ok := t[name]
	if !ok {
		return 0, 0, fs.ErrNotExist
	}
	return tree.File, int64(len(text)), nil
}

func (t texts) Read(name string, _ int64) ([]byte, error) { return []byte(t[name]), nil }
func (t texts) List(string, int) ([]tree.Entry, error)    { return nil, errors.ErrUnsupported }
func (t texts) Link(string) (string, error)               { return "", errors.ErrUnsupported }

func TestExpanded(t *testing.T) {
	root := texts{
		"home/a": "-o /abs/x.o\n@b", "home/b": `'one arg' "say \"so\"" a\ b "" '\'`, "home/empty": " \n",
		"home/self": "x @self", "home/1": "@2", "home/2": "@1", "home/wide": "\xff\xfea\x00", "home/marked": "\ufeff-c",
		"home/many": strings.Repeat("@empty ", responseFilesMax+1), "home/large": strings.Repeat("x.o ", posix.ArgBytesMax/4+1),
		"home/twice": "@empty @empty @marked @marked",
	}
	for line, want := range map[string]string{
		"-c x.c":        "-c|x.c",
		"-c @a":         "-c|-o|/abs/x.o|one arg|say \"so\"|a b|'",
		"@/home/marked": "-c",
		"x @empty y":    "x|y",
		"@twice":        "-c|-c",
		"@nothing @ @a": "@nothing|@|-o|/abs/x.o|one arg|say \"so\"|a b|'",
		"@b @self":      "@b|@self",
		"@b @1":         "@b|@1",
		"@b @wide":      "@b|@wide",
		"@b @many":      "@b|@many",
		"@b @large":     "@b|@large",
	} {
		if got := strings.Join(expanded(root, "/home", strings.Fields(line)), "|"); got != want {
			t.Errorf("%s is %s, want %s", line, got, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add(`a 'b c' "d\"e" f\ g`)
	f.Fuzz(func(t *testing.T, text string) {
		list := words(text)
		var again strings.Builder
		for _, word := range list {
			again.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + "\"\n")
		}
		if got := words(again.String()); !slices.Equal(got, list) {
			t.Errorf("%q is %q, in quotes %q", text, list, got)
		}
	})
}
