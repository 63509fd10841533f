package toolchain

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"

	"carrel/guest/posix"
)

// A tool's C library cannot tell an absolute path from one that is relative to
// the working directory. So absolute paths on a command line are given under
// another name of the root, and that name is taken out of what comes back.

var (
	// rooted are options with a path in the same argument, up to where it begins.
	rooted = regexp.MustCompile(`^(?:-[ILBFo]|-(?:isystem|iquote|idirafter|include|imacros|MF|MT|MQ)=?|--?[a-z][a-z0-9-]*=|-W[al],(?:[^,]*,)*?)/`)
	// macros and mappings have values that are not paths of files to be opened.
	literal = regexp.MustCompile(`^(?:-[DUW]|--?f[a-z-]*prefix-map=|-fdebug|--defsym|--sysroot=/\.carrel|-resource-dir=/\.carrel|--target)`)
	linking = regexp.MustCompile(`^-W[al],`)
)

// devices are what tools have in place of devices.
var devices = map[string]string{"/dev/null": nullFile, "/dev/stdin": "-", "/dev/stdout": "-"}

// inRoot gives an argument of a command line with absolute paths under
// posix.RootName.
func inRoot(arg string) string {
	switch {
	case devices[arg] != "":
		return devices[arg]
	case strings.HasPrefix(arg, ownDir+"/"), strings.HasPrefix(arg, posix.RootName+"/"):
		return arg
	case strings.HasPrefix(arg, "/"):
		return posix.RootName + arg
	case literal.MatchString(arg) && !linking.MatchString(arg):
		return arg
	}
	if at := rooted.FindStringIndex(arg); at != nil {
		path := arg[at[1]-1:]
		switch {
		case devices[path] != "":
			path = devices[path]
		case !strings.HasPrefix(path, ownDir+"/"):
			path = posix.RootName + path
		}
		return arg[:at[1]-1] + path
	}
	return arg
}

func allInRoot(args []string) []string {
	all := make([]string, len(args))
	for i, arg := range args {
		all[i] = inRoot(arg)
	}
	return all
}

// plain takes posix.RootName out of text.
func plain(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte(posix.RootName+"/"), []byte("/"))
}

// A plainWriter takes posix.RootName out of what is written. It holds back what
// may be the beginning of it, until Flush.
type plainWriter struct {
	to   io.Writer
	held []byte
}

func (w *plainWriter) Write(p []byte) (int, error) {
	text := plain(append(w.held, p...))
	keep := 0
	for n := min(len(posix.RootName), len(text)); n > 0; n-- {
		if strings.HasPrefix(posix.RootName+"/", string(text[len(text)-n:])) {
			keep = n
			break
		}
	}
	w.held = append([]byte(nil), text[len(text)-keep:]...)
	if _, err := w.to.Write(text[:len(text)-keep]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *plainWriter) Flush() error {
	_, err := w.to.Write(w.held)
	w.held = nil
	return err
}

// mended takes posix.RootName out of the texts among what a compiler wrote: lists
// of dependencies, preprocessed and assembler sources.
func mended(changes []posix.Change) []posix.Change {
	changes = slices.Clone(changes)
	for i, change := range changes {
		if bytes.Contains(change.Data, []byte(posix.RootName+"/")) && !bytes.Contains(change.Data, []byte{0}) {
			changes[i].Data = plain(change.Data)
		}
	}
	return changes
}
