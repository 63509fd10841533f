// Package toolchain runs clang, the linker and the tools beside them as guests:
// a build is deterministic, metered, and needs no compiler on the host.
//
// The tools are one WASI program, LLVM as a multi-call binary, that is named by
// its first argument. It sees the host's files at their own paths, read lazily,
// and what it writes is put into place when it has succeeded, and only if its
// command line names it.
package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"carrel/guest/posix"
	"carrel/receipt"
	"carrel/runner"
	"carrel/tree"
	"carrel/turn"
)

// Places in the guest that are not the host's.
const (
	ownDir      = "/.carrel"
	resourceDir = ownDir + "/usr"   // headers and libraries
	tempDir     = ownDir + "/tmp"   // between the jobs of one command
	nullFile    = tempDir + "/null" // in place of /dev/null: empty, and what is written to it is forgotten
)

// A Toolchain is the program and what it needs. It is safe for concurrent use.
type Toolchain struct {
	Program   []byte // the wasm
	Resources []byte // a tar image of headers and libraries
	Load      runner.Load

	resources receipt.Blob
	tree      tree.Tree
	support   []runner.Mount // none before SetSupport
}

// New prepares a toolchain.
func New(program, resources []byte, load runner.Load) (*Toolchain, error) {
	t := &Toolchain{Program: program, Resources: resources, Load: load, resources: receipt.NewBlob(resources)}
	var err error
	if t.tree, err = runner.ContentTree(receipt.MountTar, resources); err != nil {
		return nil, fmt.Errorf("toolchain resources: %w", err)
	}
	return t, nil
}

// A Command is one use of a tool.
type Command struct {
	Tool   string   // a name of Tools
	Args   []string // without the tool's name
	Dir    string   // the working directory: an absolute path of the host, without links
	Env    []string // NAME=value
	Root   tree.Tree
	Limits turn.Limits // of each run of the machine

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Apply puts the changes of one job into place. All of their paths are named
	// on the command line. Programs are those to be made executable.
	Apply func(changes []tree.Change, programs []string) error
	// Done, if set, is told of every run that is part of the build, in order.
	Done func(*runner.Turn) error
}

// A FaultError reports a tool that did not end by itself: it ran out of fuel, say.
type FaultError struct{ Outcome turn.Outcome }

func (e *FaultError) Error() string {
	text, _, _ := strings.Cut(e.Outcome.Text, "\n")
	return fmt.Sprintf("%v: %s", e.Outcome.Class, text)
}

// Run runs a command. The code is the tool's, as a shell would see it. An error
// is a failure of the host, or a *FaultError; what jobs before it wrote is in
// place.
func (t *Toolchain) Run(ctx context.Context, c *Command) (code int, err error) {
	tool, ok := Tools[c.Tool]
	if !ok {
		return 0, fmt.Errorf("there is no tool %q", c.Tool)
	}
	if tool.name == "llvm-strip" || tool.name == "llvm-objcopy" {
		if list := copies(tool.name, c.Args); list != nil {
			return t.copy(ctx, c, tool.name, list)
		}
	}
	if !tool.driver {
		return t.job(ctx, c, begin(), append([]string{tool.name}, allInRoot(c.Args)...), c.Stdout, c.Stderr)
	}
	return t.drive(ctx, c, tool)
}

// work is what goes from one job of a command to the next.
type work struct {
	temp []byte // the files between jobs, as a tar
}

// begin is the work before the first job.
func begin() *work {
	image, err := tarOf(map[string][]byte{path.Base(nullFile): nil})
	if err != nil {
		panic(err) // it is made in memory
	}
	return &work{image}
}

// drive runs what clang would run: it cannot start other programs, but it says
// which.
func (t *Toolchain) drive(ctx context.Context, c *Command, tool tool) (int, error) {
	args := append([]string{tool.name}, tool.flags...)
	if t.support != nil {
		args = append(args, supportFlags...)
	}
	if !slices.ContainsFunc(c.Args, isInput) { // libraries alone would be linked
		args = append([]string{tool.name}, bareFlags...)
	}
	args = append(args, allInRoot(c.Args)...)
	var plan, said bytes.Buffer
	code, err := t.plan(ctx, c, slices.Insert(slices.Clone(args), 1, "-###"), &said, &plan)
	if err != nil {
		return 0, err
	}
	if slices.Contains(c.Args, "-###") { // only to be told
		_, err := c.Stderr.Write(plain(plan.Bytes()))
		return code, err
	}
	jobs, rest := parsePlan(plan.String())
	if code != 0 || len(jobs) == 0 {
		if len(jobs) == 0 && code == 0 { // it only says something: --version, -print-…
			return t.job(ctx, c, begin(), args, c.Stdout, c.Stderr)
		}
		_, err := c.Stderr.Write(plain([]byte(rest)))
		return code, err
	}
	if _, err := c.Stderr.Write(plain([]byte(rest))); err != nil {
		return 0, err
	}
	work, worst := begin(), 0
	for _, job := range jobs {
		if worst != 0 && !job.compiles() {
			break // there is nothing to link
		}
		code, err := t.job(ctx, c, work, job, c.Stdout, c.Stderr)
		if err != nil {
			return 0, err
		}
		if code != 0 {
			worst = 1
		}
	}
	return worst, nil
}

// plan asks the driver what it would run. It is no part of the build: nothing is
// written, and there is no receipt.
func (t *Toolchain) plan(ctx context.Context, c *Command, args []string, stdout, stderr io.Writer) (int, error) {
	done, err := runner.Run(ctx, t.Load, t.spec(c, begin(), args, stdout, stderr))
	if err != nil {
		return 0, err
	}
	return exit(done)
}

// job runs one tool, and puts into place what it wrote.
func (t *Toolchain) job(ctx context.Context, c *Command, w *work, args []string, stdout, stderr io.Writer) (int, error) {
	out, errs := &plainWriter{to: stdout}, &plainWriter{to: stderr}
	done, err := runner.Run(ctx, t.Load, t.spec(c, w, args, out, errs))
	if err := errors.Join(err, out.Flush(), errs.Flush()); err != nil {
		return 0, err
	}
	code, err := exit(done)
	if err != nil {
		return 0, err
	}
	for _, write := range done.Writes {
		if write.Kind == receipt.MountTar {
			w.temp = write.Tar
			continue
		}
		mend(&write)
		programs, err := permitted(c.Dir, args, write.Changes)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", args[0], err)
		}
		if len(write.Changes) > 0 {
			if err := c.Apply(write.Changes, programs); err != nil {
				return 0, err
			}
		}
	}
	if c.Done != nil {
		err = c.Done(done)
	}
	return code, err
}

func exit(done *runner.Turn) (int, error) {
	if done.Err != nil {
		return 0, done.Err
	}
	if done.Outcome.Class != turn.Exit {
		return 0, &FaultError{done.Outcome}
	}
	return int(min(done.Outcome.Code, 255)), nil
}

func (t *Toolchain) spec(c *Command, w *work, args []string, stdout, stderr io.Writer) *runner.Spec {
	content := receipt.NewBlob(w.temp)
	temp := runner.Mount{Guest: tempDir, Kind: receipt.MountTar, Mode: receipt.ModeRW, Content: &content}
	temp.Tree, _ = runner.ContentTree(receipt.MountTar, w.temp) // we made it
	return &runner.Spec{
		Program: t.Program, Args: args, Cwd: c.Dir, Limits: c.Limits,
		Env:   append([]string{"PWD=" + c.Dir, "TMPDIR=" + tempDir}, c.Env...),
		Stdin: c.Stdin, Stdout: stdout, Stderr: stderr,
		Mounts: append([]runner.Mount{
			{Guest: "/", Kind: receipt.MountDir, Mode: receipt.ModeRW, Tree: c.Root},
			{Guest: resourceDir, Kind: receipt.MountTar, Mode: receipt.ModeRO, Tree: t.tree, Content: &t.resources},
			temp,
		}, t.support...),
	}
}

// ErrNotNamed reports that a tool wrote to a file that nobody named.
var ErrNotNamed = errors.New("it wrote to a file that its command line does not name")

// permitted holds what a tool changed against its command line: it may only
// write to files that it names, and a.out. It lists the programs among them.
func permitted(dir string, args []string, changes []posix.Change) (programs []string, err error) {
	named := map[string]bool{}
	name := func(arg string) { named[strings.TrimPrefix(path.Join(dir, arg), "/")] = true }
	for _, arg := range append([]string{"a.out"}, args[1:]...) {
		if strings.HasPrefix(arg, "/") {
			named[strings.TrimPrefix(path.Clean(strings.TrimPrefix(arg, posix.RootName)), "/")] = true
			continue
		}
		name(arg)
		if _, value, ok := strings.Cut(arg, "="); ok && value != "" {
			value = strings.TrimPrefix(value, posix.RootName)
			named[strings.TrimPrefix(path.Join("/", absolute(dir, value)), "/")] = true
		}
	}
	for _, change := range changes {
		if !named[change.Path] {
			return nil, fmt.Errorf("/%s: %w", change.Path, ErrNotNamed)
		}
		if args[0] == linker && change.Kind == tree.File {
			programs = append(programs, change.Path)
		}
	}
	return programs, nil
}

func absolute(dir, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return path.Join(dir, name)
}
