package toolchain

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"carrel/tree"
)

// llvm-strip and llvm-objcopy give what they write the permissions of what they
// read, which WASI has no call for, and fail. To standard output they write
// without that: so their command lines are made to, and the file is ours to
// write.

// valued are the options of the two that take a value as the next argument,
// where it does not come after a "=".
var valued = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`
		add-gnu-debuglink add-section add-symbol binary-architecture change-section-address change-section-lma
		change-section-vma change-start dump-section gap-fill globalize-symbol globalize-symbols input-target
		keep-global-symbol keep-global-symbols keep-section keep-symbol keep-symbols localize-symbol
		localize-symbols new-symbol-visibility only-section output-target pad-to prefix-alloc-sections
		prefix-symbols redefine-sym redefine-syms remove-section remove-symbol-prefix rename-section
		set-section-alignment set-section-flags set-section-type set-start set-symbol-visibility
		set-symbols-visibility skip-symbol skip-symbols split-dwo strip-symbol strip-symbols
		strip-unneeded-symbol strip-unneeded-symbols subsystem update-section weaken-symbol weaken-symbols`) {
		valued["--"+name] = true
	}
	for _, short := range "jKNRWGLOIBF" {
		valued["-"+string(short)] = true
	}
}

// A copying is one file that is to be copied.
type copying struct {
	args     []string // of the tool, with the file in its place and "-" for the output
	from, to string
}

// copies takes the command line of llvm-strip or llvm-objcopy apart. There are
// none if it only says something, or cannot be understood: the tool says what is
// wrong then.
func copies(tool string, args []string) (list []copying) {
	var options, files []string
	output := ""
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, value, joined := strings.Cut(arg, "=")
		next := func() string {
			if joined {
				return value
			}
			if i++; i < len(args) {
				return args[i]
			}
			return ""
		}
		switch {
		case arg == "--help", arg == "--version", arg == "-V", arg == "-h":
			return nil
		case arg == "--":
			files = append(files, args[i+1:]...)
			i = len(args)
		case tool == "llvm-strip" && (arg == "-o" || name == "--output-file" || arg == "--output"):
			output = next()
		case tool == "llvm-strip" && strings.HasPrefix(arg, "-o"):
			output = arg[2:]
		case !joined && valued[arg]:
			options = append(options, arg)
			if i++; i < len(args) {
				options = append(options, args[i])
			}
		case strings.HasPrefix(arg, "-") && arg != "-":
			options = append(options, arg)
		default:
			files = append(files, arg)
		}
	}
	if tool == "llvm-objcopy" {
		if len(files) == 0 || len(files) > 2 {
			return nil
		}
		from, to := files[0], files[len(files)-1]
		return []copying{{append(options, from, "-"), from, to}}
	}
	if output != "" && len(files) != 1 {
		return nil
	}
	for _, from := range files {
		to := from
		if output != "" {
			to = output
		}
		list = append(list, copying{append(slices.Clone(options), "-o", "-", from), from, to})
	}
	return list
}

// copy runs llvm-strip or llvm-objcopy on one file after the other.
func (t *Toolchain) copy(ctx context.Context, c *Command, tool string, list []copying) (int, error) {
	for _, one := range list {
		var out bytes.Buffer
		code, err := t.job(ctx, c, begin(c), append([]string{tool}, allInRoot(one.args)...), &out, c.Stderr)
		if err != nil || code != 0 {
			return code, err
		}
		to := cmp.Or(devices[one.to], one.to)
		switch to {
		case nullFile:
			continue
		case "-":
			if _, err := c.Stdout.Write(out.Bytes()); err != nil {
				return 0, err
			}
			continue
		}
		name := realPath(c.Root, c.Dir, to, true)
		switch {
		case name == "":
			return 0, fmt.Errorf("%s leads nowhere", to)
		case isSystem(name):
			return 0, fmt.Errorf("/%s: %w", name, ErrSystem)
		}
		was, _, err := c.Root.Stat(name)
		if err != nil {
			was = tree.Absent
		}
		if was != tree.Absent && was != tree.File {
			return 0, fmt.Errorf("/%s is a %v", name, was)
		}
		change := tree.Change{Path: name, Was: was, Kind: tree.File, Data: out.Bytes()}
		if err := c.Apply([]tree.Change{change}, nil); err != nil {
			return 0, err
		}
	}
	return 0, nil
}
