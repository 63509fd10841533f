package toolchain

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"carrel/guest/posix"
	"carrel/tree"
)

// ErrNotNamed reports that a tool wrote to a file that nobody named.
var ErrNotNamed = errors.New("it wrote to a file that its command line does not name")

// ErrSystem reports that a tool wrote to a place where the host's kernel is met:
// what would be put there is a plain file.
var ErrSystem = errors.New("devices, and what is in /proc and /sys, are not written to; - is standard output")

// ErrNotFile reports that a tool made a link or a directory. None of them has to:
// others would follow a link.
var ErrNotFile = errors.New("it made another thing than a file")

// permitted holds what a tool changed against its command line: it may only write
// and remove files that it names, by themselves or after a "=" or "-o", a.out, and
// what is in the directory that an archive is extracted into. It lists the programs
// among them.
func permitted(root tree.Tree, dir string, args []string, changes []posix.Change) (programs []string, err error) {
	into, extracts := extraction(args)
	if extracts {
		into = cmp.Or(realPath(root, dir, into, true), ".")
	}
	for _, change := range changes {
		switch {
		case isSystem(change.Path):
			return nil, fmt.Errorf("/%s: %w", change.Path, ErrSystem)
		case extracts && path.Dir(change.Path) == into && change.Kind == tree.File:
		case !isNamed(root, dir, args, change.Path):
			return nil, fmt.Errorf("/%s: %w", change.Path, ErrNotNamed)
		case change.Kind != tree.File && change.Kind != tree.Absent:
			return nil, fmt.Errorf("/%s: %w, a %v", change.Path, ErrNotFile, change.Kind)
		case args[0] == linker && change.Kind == tree.File:
			programs = append(programs, change.Path)
		}
	}
	return programs, nil
}

// extraction tells whether a command line is one of llvm-ar that extracts an archive,
// and into which directory.
func extraction(args []string) (into string, extracts bool) {
	if args[0] != "llvm-ar" {
		return "", false
	}
	into = "."
	operation := ""
	for i := 1; i < len(args); i++ {
		switch name, value, joined := strings.Cut(args[i], "="); {
		case name == "--output" && joined:
			into = value
		case name == "--output" && i+1 < len(args):
			i++
			into = args[i]
		case operation == "" && !strings.HasPrefix(name, "--"):
			operation = name // with or without a "-"
		}
	}
	return into, strings.Contains(operation, "x")
}

func isSystem(name string) bool {
	return path.Dir(name) == "dev" || strings.HasPrefix(name, "proc/") || strings.HasPrefix(name, "sys/")
}

// isNamed reports whether a command line names a path below the root, or a link to
// it.
func isNamed(root tree.Tree, dir string, args []string, name string) bool {
	all := []string{"a.out"}
	for _, arg := range args[1:] {
		all = append(all, arg)
		if value, ok := strings.CutPrefix(arg, "-o"); ok {
			all = append(all, value)
		}
		for _, value, ok := strings.Cut(arg, "="); ok; _, value, ok = strings.Cut(value, "=") {
			all = append(all, value)
		}
	}
	return slices.ContainsFunc(all, func(arg string) bool { // the common case, without a look at each
		return path.Base(arg) == path.Base(name) && realPath(root, dir, arg, false) == name
	}) || slices.ContainsFunc(all, func(arg string) bool {
		return realPath(root, dir, arg, true) == name
	})
}

// realPath is the path below the root that an argument leads to from a directory.
// Links on the way are followed, and at its end if asked. It is "" if they
// lead nowhere.
func realPath(root tree.Tree, dir, arg string, follow bool) string {
	if rest, ok := strings.CutPrefix(arg, posix.RootName+"/"); ok {
		arg = "/" + rest
	}
	if !strings.HasPrefix(arg, "/") {
		arg = dir + "/" + arg
	}
	var real []string
	for rest, links := strings.Split(arg, "/"), 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			real = real[:max(0, len(real)-1)]
			continue
		}
		real = append(real, name)
		if len(rest) == 0 && !follow {
			break
		}
		here := path.Join(real...)
		if kind, _, err := root.Stat(here); err != nil || kind != tree.Link {
			continue
		}
		target, err := root.Link(here)
		if links++; err != nil || links > posix.LinksMax {
			return ""
		}
		if real = real[:len(real)-1]; strings.HasPrefix(target, "/") {
			real = nil
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return path.Join(real...)
}
