package toolchain

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"carrel/guest/posix"
	"carrel/tree"
)

// Limits of response files on one command line. What does not fit on a command line
// of the guest is better read by the tool itself.
const (
	responseFilesMax = 1 << 10
	responseBytesMax = posix.ArgBytesMax // of all of them
)

// errResponse reports response files that are left to the tool, which says what is
// wrong with them.
var errResponse = errors.New("not response files that can be expanded here")

// expanded is a command line with the arguments that are in response files in
// place of "@file", as the tools read them. They are expanded here because a path in
// one is to be treated as any other. If one cannot be, none is; one that is not
// there is a plain argument.
func expanded(root tree.Tree, dir string, args []string) []string {
	if !slices.ContainsFunc(args, isResponse) {
		return args
	}
	e := &expansion{root: root, dir: dir}
	if e.add(args) != nil {
		return args
	}
	return e.args
}

func isResponse(arg string) bool { return len(arg) > 1 && arg[0] == '@' }

// An expansion is a command line of which a part is expanded.
type expansion struct {
	root  tree.Tree
	dir   string
	args  []string
	open  []string // files that arguments are being taken from, by their real paths
	files int      // so far
	bytes int64
}

func (e *expansion) add(args []string) error {
	for _, arg := range args {
		name := ""
		if isResponse(arg) {
			name = realPath(e.root, e.dir, arg[1:], true)
		}
		if name == "" {
			e.args = append(e.args, arg)
			continue
		}
		kind, size, err := e.root.Stat(name)
		if err != nil || kind == tree.Absent {
			e.args = append(e.args, arg)
			continue
		}
		if e.files, e.bytes = e.files+1, e.bytes+size; kind != tree.File || e.files > responseFilesMax ||
			size > responseBytesMax || e.bytes > responseBytesMax || slices.Contains(e.open, name) {
			return errResponse
		}
		text, err := e.root.Read(name, size)
		if err != nil || bytes.HasPrefix(text, []byte("\xfe\xff")) || bytes.HasPrefix(text, []byte("\xff\xfe")) { // UTF-16
			return errResponse
		}
		e.open = append(e.open, name)
		if err := e.add(words(strings.TrimPrefix(string(text), "\ufeff"))); err != nil {
			return err
		}
		e.open = e.open[:len(e.open)-1]
	}
	return nil
}

// words are the arguments in the text of a response file: between white space,
// which quotes of either kind and a backslash, also between quotes, take for
// itself. There are no empty ones.
func words(text string) (list []string) {
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			end()
		default:
			word.WriteByte(c)
		}
	}
	end()
	return list
}
