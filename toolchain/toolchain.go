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
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/runner"
	"carrel/tree"
	"carrel/turn"
)

// ResourceDir is where a tool finds headers and libraries.
const ResourceDir = ownDir + "/usr"

// Other places in the guest that are not the host's.
const (
	ownDir   = "/.carrel"
	tempDir  = ownDir + "/tmp"   // between the jobs of one command
	nullFile = tempDir + "/null" // in place of /dev/null: empty, and what is written to it is forgotten
)

// A Toolchain is the program and what it needs. It is safe for concurrent use.
type Toolchain struct {
	program   []byte
	load      runner.Load
	resources runner.Mount
	support   *runner.Mount // nil before SetSupport
	library   []byte        // what is mounted as support: a tar
}

// New prepares a toolchain: the wasm, a tar image of headers and libraries, and a
// way to load the wasm.
func New(program, resources []byte, load runner.Load) (*Toolchain, error) {
	mount, err := tarMount(ResourceDir, receipt.ModeRO, resources)
	if err != nil {
		return nil, fmt.Errorf("toolchain resources: %w", err)
	}
	return &Toolchain{program: program, load: load, resources: mount}, nil
}

// tarMount hands in the tree of a tar image.
func tarMount(guest, mode string, image []byte) (runner.Mount, error) {
	files, err := runner.ContentTree(receipt.MountTar, image)
	content := receipt.NewBlob(image)
	return runner.Mount{Guest: guest, Kind: receipt.MountTar, Mode: mode, Tree: files, Content: &content}, err
}

// A Command is one use of a tool.
type Command struct {
	Tool   string      // a name of Tools
	Args   []string    // without the tool's name
	Dir    string      // the working directory: an absolute path of the host, without links
	Root   tree.Tree   // of the host's files
	Limits turn.Limits // of each run of the machine

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Apply puts the changes of one job into place. All of their paths are named
	// on the command line. Programs are those to be made executable.
	Apply func(changes []tree.Change, programs []string) error

	// Record, if set, is told what a receipt must say.
	Record *Record
}

// A Record is what a command came to, turn by turn.
type Record struct {
	Steps []receipt.Turn
	// Keep is given every file that a tool reads, and whatever else is handed to
	// it that this package has made.
	Keep func(digest string, content []byte) error
}

// add adds a turn.
func (r *Record) add(done *runner.Turn) error {
	step, err := done.Record()
	if err != nil {
		return err
	}
	r.Steps = append(r.Steps, *step)
	return nil
}

// A FaultError reports a tool that did not end by itself: it ran out of fuel, say.
type FaultError struct{ Outcome turn.Outcome }

func (e *FaultError) Error() string {
	text, _, _ := strings.Cut(e.Outcome.Text, "\n")
	if text == "" {
		text = "the tool has failed: a source too deep or too large for it, or a bug of its own"
	}
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
	whole := *c
	whole.Args = expanded(c.Root, c.Dir, c.Args)
	c = &whole
	if c.Record != nil {
		for _, made := range [][]byte{begin(c).temp, t.library} {
			if err := c.Record.Keep(seal.Sum(made).String(), made); err != nil {
				return 0, err
			}
		}
	}
	if tool.name == "llvm-strip" || tool.name == "llvm-objcopy" {
		if list := copies(tool.name, c.Args); list != nil {
			return t.copy(ctx, c, tool.name, list)
		}
	}
	if !tool.driver {
		return t.job(ctx, c, begin(c), append([]string{tool.name}, allInRoot(c.Args)...), c.Stdout, c.Stderr)
	}
	return t.drive(ctx, c, tool)
}

// work is what goes from one job of a command to the next.
type work struct {
	temp []byte // the files between jobs, as a tar
}

// begin is the work before the first job.
func begin(c *Command) *work {
	image, err := tarOf(map[string][]byte{
		path.Base(nullFile):    nil,
		path.Base(overlayFile): overlay(c.Dir, allInRoot(c.Args)),
	})
	if err != nil {
		panic(err) // it is made in memory
	}
	return &work{image}
}

// drive runs what clang would run: it cannot start other programs, but it says
// which.
func (t *Toolchain) drive(ctx context.Context, c *Command, tool tool) (int, error) {
	args := append([]string{tool.name}, targetFlags...)
	if slices.ContainsFunc(c.Args, isInput) { // else libraries alone would be linked
		args = append(args, libraryFlags...)
		if t.support != nil {
			args = append(args, supportFlags...)
		}
	}
	args = append(args, allInRoot(c.Args)...)
	// What it would run is no part of the build: nothing of it is put into place.
	var plan bytes.Buffer
	_, code, err := t.run(ctx, c, begin(c), slices.Insert(slices.Clone(args), 1, "-###"), io.Discard, &plan)
	if err != nil {
		return 0, err
	}
	jobs, rest := parsePlan(plan.String())
	switch {
	case slices.Contains(c.Args, "-###"): // only to be told
		_, err := c.Stderr.Write(plain(plan.Bytes()))
		return code, err
	case slices.ContainsFunc(jobs, job.throws):
		_, err := fmt.Fprintf(c.Stderr, "carrel %s: error: %s\n", c.Tool, refusal(c.Args))
		return 1, err
	case code == 0 && len(jobs) == 0: // it only says something: --version, -print-…
		return t.job(ctx, c, begin(c), args, c.Stdout, c.Stderr)
	}
	if _, err := c.Stderr.Write(plain([]byte(rest))); err != nil || code != 0 {
		return code, err
	}
	work, worst := begin(c), 0
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

// job runs one tool, and puts into place what it wrote.
func (t *Toolchain) job(ctx context.Context, c *Command, w *work, args []string, stdout, stderr io.Writer) (int, error) {
	list := job(args).list()
	var said bytes.Buffer // a list that goes to standard output
	out, errs := &plainWriter{to: stdout}, &plainWriter{to: stderr}
	if list == "-" {
		out.to = &said
	}
	done, code, err := t.run(ctx, c, w, args, out, errs)
	err = errors.Join(err, out.Flush(), errs.Flush())
	if list == "-" {
		_, failure := stdout.Write(dependencies(said.Bytes()))
		err = errors.Join(err, failure)
	}
	if done != nil && c.Record != nil && done.Outcome.Class.Result() {
		err = errors.Join(err, c.Record.add(done))
	}
	if err != nil {
		return 0, err
	}
	for _, write := range done.Writes {
		if write.Kind == receipt.MountTar {
			w.temp = write.Tar
			continue
		}
		changes := mended(write.Changes, realPath(c.Root, c.Dir, list, true))
		programs, err := permitted(c.Root, c.Dir, args, changes)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", args[0], err)
		}
		if len(changes) > 0 {
			if err := c.Apply(changes, programs); err != nil {
				return 0, err
			}
		}
	}
	return code, nil
}

// run runs one tool, and gives its exit code. With a *FaultError it gives the turn
// too.
func (t *Toolchain) run(ctx context.Context, c *Command, w *work, args []string, stdout, stderr io.Writer) (*runner.Turn, int, error) {
	spec, err := t.spec(c, w, args, stdout, stderr)
	if err != nil {
		return nil, 0, err
	}
	done, err := runner.Run(ctx, t.load, spec)
	switch {
	case err != nil:
		return nil, 0, err
	case done.Err != nil:
		return nil, 0, done.Err
	case done.Outcome.Class != turn.Exit:
		return done, 0, &FaultError{done.Outcome}
	}
	return done, int(min(done.Outcome.Code, 255)), nil
}

func (t *Toolchain) spec(c *Command, w *work, args []string, stdout, stderr io.Writer) (*runner.Spec, error) {
	temp, err := tarMount(tempDir, receipt.ModeRW, w.temp)
	if err != nil {
		return nil, err
	}
	mounts := []runner.Mount{{Guest: "/", Kind: receipt.MountDir, Mode: receipt.ModeRW, Tree: c.Root}, t.resources, temp}
	if t.support != nil {
		mounts = append(mounts, *t.support)
	}
	spec := &runner.Spec{
		Program: t.program, Args: args, Cwd: c.Dir, Limits: c.Limits,
		Env:   []string{"PWD=" + posix.RootName + c.Dir, "TMPDIR=" + tempDir},
		Stdin: c.Stdin, Stdout: stdout, Stderr: stderr,
		Mounts: mounts,
	}
	if c.Record != nil {
		spec.Keep, spec.Root = c.Record.Keep, true
	}
	return spec, nil
}
