package runner

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"carrel/guest/js"
	"carrel/guest/posix"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/turn"
)

// A Script is a program of JavaScript. What runs it, the wasm, is Spec.Program: an
// engine that package guest/js knows.
type Script struct {
	// Main is an expression of JavaScript: an asynchronous function that runs the
	// program, of the function that prints, and answers its exports (package
	// npm/bundler, Program).
	Main []byte
	// Lockdown is the bundle that runs before all else.
	Lockdown []byte
	// Locked, if set, finds or keeps the image that Lockdown leaves, which make
	// makes: it is always the same for an engine, this package and the bundle.
	Locked func(build js.Build, label *image.Label, make func() (*image.Image, error)) (*image.Image, error)
}

//go:embed program.js
var programScript string

// Where the parts of a script are in its receipt: all that its result depends on,
// beside the engine.
const (
	shimMount     = "/shim.js"     // of package guest/js
	lockdownMount = "/lockdown.js" // the bundle
	programMount  = "/program.js"  // how a program is run
	mainMount     = "/main.js"
)

// exitUnsettled is the exit code of a program that waits for what never comes, as
// node has it.
const exitUnsettled = 13

// readMax is how much of standard input a program is handed at once.
const readMax = 64 << 10

// ErrScript reports a script that is asked for what only programs of WebAssembly
// can do.
var ErrScript = errors.New("not for JavaScript")

// A part of a script is something that its result depends on.
type part struct {
	guest   string
	content []byte
	named   *receipt.Blob // its name, if it has one already and is kept
}

// parts are all, in the order of their mounts.
func (s *Script) parts() []part {
	return []part{
		{guest: shimMount, content: js.ShimSource()}, {guest: lockdownMount, content: s.Lockdown},
		{guest: programMount, content: []byte(programScript)}, {guest: mainMount, content: s.Main},
	}
}

func (s *Script) mounts() []receipt.Mount { return mountsOf(s.parts()) }

// mountsOf are parts as a receipt has them.
func mountsOf(parts []part) (mounts []receipt.Mount) {
	for _, p := range parts {
		content := p.named
		if content == nil {
			made := receipt.NewBlob(p.content)
			content = &made
		}
		mounts = append(mounts, receipt.Mount{Guest: p.guest, Kind: receipt.MountFile, Mode: receipt.ModeRO, Content: content})
	}
	return mounts
}

// script is the script of a receipt's input.
func (r *Replayer) script(input *receipt.Input) (*Script, error) {
	s := &Script{}
	into := map[string]*[]byte{shimMount: new([]byte), lockdownMount: &s.Lockdown, programMount: new([]byte), mainMount: &s.Main}
	for _, m := range input.Mounts {
		part := into[m.Guest]
		if part == nil || m.Content == nil {
			return nil, fmt.Errorf("mount %s: no part of a program of JavaScript", m.Guest)
		}
		var err error
		if *part, err = receipt.ReadBlob(r.blobs(), *m.Content, js.BytesMax); err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Guest, err)
		}
		delete(into, m.Guest)
	}
	if len(into) > 0 {
		return nil, fmt.Errorf("it has %d mounts, a program of JavaScript has its parts", len(input.Mounts))
	}
	for n, m := range s.mounts() {
		if *input.Mounts[n].Content != *m.Content {
			return nil, fmt.Errorf("it ran with another %s, %v, than this build of carrel has, %v", m.Guest, input.Mounts[n].Content.Digest, m.Content.Digest)
		}
	}
	return s, nil
}

// A sitting is one run of a script.
type sitting struct {
	t              *Turn
	stdin          *bufio.Reader
	read           *seal.Hasher
	stdout, stderr output
}

// An output is a stream with a digest of what passed.
type output struct {
	name string
	to   io.Writer
	sum  *seal.Hasher
}

func (o *output) write(b []byte) error {
	o.sum.Write(b)
	if o.to == nil {
		return nil
	}
	if _, err := o.to.Write(b); err != nil {
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	return nil
}

func stream(sum *seal.Hasher) posix.Stream {
	return posix.Stream{Bytes: sum.Size(), Digest: sum.Digest().String()}
}

// runScript is Run for JavaScript.
func (t *Turn) runScript(ctx context.Context, load Load) (*Turn, error) {
	spec := t.spec
	if err := scriptable(spec); err != nil {
		return nil, err
	}
	build, err := js.Find(spec.Program)
	if err != nil {
		return nil, err
	}
	program, err := load(ctx, spec.Program)
	if err != nil {
		return nil, fmt.Errorf("load the engine of JavaScript: %w", err)
	}
	defer program.Close()
	engine, err := js.New(program, build)
	if err != nil {
		return nil, err
	}
	s := &sitting{
		t: t, stdin: bufio.NewReaderSize(strings.NewReader(""), readMax), read: seal.NewHasher(),
		stdout: output{"standard output", spec.Stdout, seal.NewHasher()},
		stderr: output{"standard error", spec.Stderr, seal.NewHasher()},
	}
	if spec.Stdin != nil {
		s.stdin.Reset(spec.Stdin)
	}
	defer func() {
		t.streams.Stdin, t.streams.Stdout, t.streams.Stderr = stream(s.read), stream(s.stdout.sum), stream(s.stderr.sum)
	}()
	worker, err := s.worker(engine)
	if err != nil {
		return nil, err
	}
	defer worker.Close()
	defer context.AfterFunc(ctx, worker.Stop)()
	if err := spec.keep(spec.Script.parts()); err != nil {
		return nil, err
	}
	return t, s.run(worker)
}

// keep keeps parts, if they are to be kept.
func (s *Spec) keep(parts []part) error {
	if s.Keep == nil {
		return nil
	}
	for _, p := range parts {
		if p.named != nil {
			continue
		}
		if err := s.Keep(seal.Sum(p.content).String(), p.content); err != nil {
			return err
		}
	}
	return nil
}

// scriptable reports what a script is asked for and cannot do.
func scriptable(spec *Spec) error {
	switch {
	case len(spec.Mounts) > 0:
		return fmt.Errorf("%w: files are not handed in; a program reads its standard input", ErrScript)
	case spec.Call != nil:
		return fmt.Errorf("%w: a function is not called by name; the default export is", ErrScript)
	case spec.From != nil || spec.Image:
		return fmt.Errorf("%w: images are kept by carrel repl, and by the Go library guest/js", ErrScript)
	case spec.Calls != nil:
		return fmt.Errorf("%w: there are no calls of imports to be traced", ErrScript)
	}
	return nil
}

// worker is a worker after lockdown, in which nothing of the program has run.
func (s *sitting) worker(engine *js.Engine) (*js.Worker, error) {
	spec := s.t.spec
	locked := func() (*image.Image, error) { return engine.Lockdown(js.Config{}, spec.Script.Lockdown) }
	var img *image.Image
	var err error
	if spec.Script.Locked != nil {
		img, err = spec.Script.Locked(engine.Build(), engine.Label(), locked)
	} else {
		img, err = locked()
	}
	if err != nil {
		return nil, err
	}
	return engine.Restore(img, js.Config{
		Limits: js.Limits{Fuel: spec.Limits.Fuel, MemoryPages: spec.Limits.MemoryPages},
		Now:    spec.Start, Seed: spec.Seed, Print: s.say, Warn: s.say, Command: s.command,
	})
}

// command answers program.js.
func (s *sitting) command(message []byte) ([]byte, error) {
	if len(message) == 0 {
		return nil, js.Refusal("no such command")
	}
	switch message[0] {
	case 'w':
		return nil, s.stdout.write(message[1:])
	case 'r':
		return s.more()
	}
	return nil, js.Refusal("no such command")
}

// more reads on in standard input: readMax bytes, or up to its end, or by lines up
// to the end of one. Nothing is its end.
func (s *sitting) more() (b []byte, err error) {
	if s.t.spec.Lines {
		b, err = s.stdin.ReadSlice('\n')
	} else {
		b = make([]byte, readMax)
		var n int
		n, err = io.ReadFull(s.stdin, b)
		b = b[:n]
	}
	s.read.Write(b)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.t.streams.StdinEnd = true
	case err != nil && !errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return b, nil
}

// literal writes what JSON has in strings alone so that SES, which refuses source with
// the text of an import in it, does not take it for one.
var literal = strings.NewReplacer("(", `\u0028`, "/", `\u002f`)

// run runs the program in a worker.
func (s *sitting) run(worker *js.Worker) error {
	spec := s.t.spec
	input, err := json.Marshal(struct {
		Args []string          `json:"args"`
		Env  map[string]string `json:"env"`
	}{append([]string{}, spec.Args[min(1, len(spec.Args)):]...), variables(spec.Env)})
	if err != nil {
		return err
	}
	source := "(" + programScript + ")(" + string(spec.Script.Main) + "\n, " + literal.Replace(string(input)) + ")"
	reply, err := worker.Evaluate(source)
	if err != nil {
		return err
	}
	outcome := &s.t.Outcome
	if *outcome = reply.Outcome; outcome.Class == turn.Exit {
		var img *image.Image
		if *outcome, img, err = worker.Commit(); err != nil {
			return err
		}
		if img != nil && spec.Root {
			outcome.Root = seal.Digest(img.Root()).String()
		}
	}
	s.t.Err = worker.Err()
	if outcome.Class != turn.Exit {
		return nil
	}
	switch {
	case reply.Thrown != nil: // it is no program: a syntax error
		outcome.Code = 1
		return s.say("Uncaught " + reply.Thrown.Trace())
	case reply.Text == "0":
	case reply.Text == "1":
		outcome.Code = 1
	default:
		outcome.Code = exitUnsettled
		return s.say("the program waits for what never comes: a promise that nothing settles")
	}
	return nil
}

func (s *sitting) say(line string) error { return s.stderr.write([]byte(line + "\n")) }

// variables are an environment as an object; the last of a name counts.
func variables(env []string) map[string]string {
	all := map[string]string{}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		all[name] = value
	}
	return all
}
