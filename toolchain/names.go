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
	// rooted are options with a path in the same argument, up to where it begins. The
	// names that a mapping of prefixes is about are those under posix.RootName.
	rooted = regexp.MustCompile(`^(?:-[ILBFo]|-(?:isystem|iquote|idirafter|include|imacros|MF|MT|MQ)=?|--?[a-z][a-z0-9-]*=|-Map=|--(?:add|update|dump)-section=[^=]*=)/`)
	// literal are options whose values are not paths of files.
	literal = regexp.MustCompile(`^(?:-[DUW]|-f[a-z]+-compilation-dir=|--defsym|--sysroot=/\.carrel|-resource-dir=/\.carrel|--target)`)
	// passed begins an argument that is a list of arguments for another tool.
	passed = regexp.MustCompile(`^-W[alp],`)
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
	case passed.MatchString(arg):
		return strings.Join(allInRoot(strings.Split(arg, ",")), ",")
	case literal.MatchString(arg):
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

// A plainWriter takes posix.RootName out of text that is written, up to the first
// zero byte: what comes then is an object. It holds back what may be the beginning
// of it, until Flush.
type plainWriter struct {
	to     io.Writer
	held   []byte
	object bool
}

func (w *plainWriter) Write(p []byte) (int, error) {
	text, object := p, []byte(nil)
	if zero := bytes.IndexByte(p, 0); w.object {
		text, object = nil, p
	} else if zero >= 0 {
		text, object, w.object = p[:zero], p[zero:], true
	}
	text = plain(append(w.held, text...))
	keep := 0
	for n := min(len(posix.RootName), len(text)); n > 0 && !w.object; n-- {
		if strings.HasPrefix(posix.RootName+"/", string(text[len(text)-n:])) {
			keep = n
			break
		}
	}
	w.held = bytes.Clone(text[len(text)-keep:])
	if _, err := w.to.Write(append(text[:len(text)-keep], object...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *plainWriter) Flush() error {
	_, err := w.to.Write(w.held)
	w.held = nil
	return err
}

// own are the toolchain's files among those that something depends on: no make
// would find them.
var own = regexp.MustCompile(`(?m)(?: \\\n)? +` + regexp.QuoteMeta(ownDir) + `/\S+|^` + regexp.QuoteMeta(ownDir) + `/\S+:\n`)

// dependencies takes them out of a list for make.
func dependencies(list []byte) []byte { return own.ReplaceAll(list, nil) }

// mended takes posix.RootName out of the texts among what a compiler wrote: lists
// of dependencies, preprocessed and assembler sources. One of them may be a list
// of dependencies by this path.
func mended(changes []posix.Change, list string) []posix.Change {
	changes = slices.Clone(changes)
	for i, change := range changes {
		if change.Path == list {
			changes[i].Data = dependencies(plain(change.Data))
			continue
		}
		if bytes.Contains(change.Data, []byte(posix.RootName+"/")) && !bytes.Contains(change.Data, []byte{0}) {
			changes[i].Data = plain(change.Data)
		}
	}
	return changes
}
