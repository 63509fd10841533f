package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"carrel/disk"
	"carrel/guest/js"
	"carrel/home"
	"carrel/machine"
	"carrel/machine/image"
	"carrel/npm/bundler"
	"carrel/npm/lockdown"
	"carrel/npm/quickjs"
	"carrel/program/seal"
	"carrel/turn"
)

// replFuel is the fuel of a line unless --fuel says otherwise: some seconds.
const replFuel fuel = 1e10

func replCommand() *cobra.Command {
	limits := struct {
		fuel   fuel
		memory size
	}{replFuel, memoryDefault}
	var engine engineName
	var from string
	cmd := &cobra.Command{
		Use:   "repl [flags]",
		Short: "Talk to JavaScript, line by line",
		Long: `Repl evaluates lines of JavaScript in a worker that is locked down, and prints what
comes of each and what it cost. A line that ends in a fault (its fuel is used up, say)
leaves nothing: the worker is what it was before it.

` + replHelp + exits("0  the end of the input, or .exit", "125  our own error"),
		Example: `  carrel repl
  carrel repl --fuel 100M < lines.js`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			pages, err := limits.memory.memoryPages()
			if err != nil {
				return usagef("--memory: %w", err)
			}
			r, closing, err := openRepl(cmd, engine, js.Limits{Fuel: uint64(limits.fuel), MemoryPages: pages})
			if err != nil {
				return err
			}
			defer closing()
			if err := r.begin(from); err != nil {
				return err
			}
			return r.talk(cmd)
		},
	}
	cmd.Flags().Var(&limits.fuel, "fuel", "units of fuel that a line may use, with k, M, G or T")
	cmd.Flags().Var(&limits.memory, "memory", "memory that the worker may use, with K, M or G; at most 2GiB")
	cmd.Flags().StringVar(&from, "from", "", "go on from the image in `FILE`, which .save wrote")
	engine.flag(cmd)
	return cmd
}

const replHelp = `  .snapshot NAME   keep the worker as it is now, in memory
  .restore NAME    make the worker what it was then
  .fork NAME       keep it, and go on in a copy that is called NAME
  .switch NAME     go on in another copy; the first is called main
  .list            the names of snapshots and copies
  .save FILE       write an image of the worker to a file
  .help            these lines
  .exit            end, as the end of the input does`

// A repl is a conversation with copies of a worker.
type repl struct {
	engine  *js.Engine
	config  js.Config
	locked  *image.Image // what the first copy begins with
	out     io.Writer
	name    string // of the copy that is talked to
	worker  *js.Worker
	images  map[string]*image.Image // snapshots, by name
	copies  map[string]*image.Image // the copies that are not talked to
	stopped func(*js.Worker) func() // arms an interrupt, and disarms it
}

// openRepl loads the engine and locks down.
func openRepl(cmd *cobra.Command, name engineName, limits js.Limits) (*repl, func(), error) {
	h, err := home.Find()
	if err != nil {
		return nil, nil, err
	}
	bundle, err := readGuest(cmd, &lockdownGuest, h, func(dir string) ([]byte, error) { return lockdown.File(dir, lockdown.Secure) })
	if err != nil {
		return nil, nil, err
	}
	wasm, err := readGuest(cmd, &engineGuest, h, quickjs.Engine)
	if err != nil {
		return nil, nil, err
	}
	build, err := js.Find(wasm)
	if err != nil {
		return nil, nil, err
	}
	on, err := name.open()
	if err != nil {
		return nil, nil, err
	}
	program, err := loadProgram(cmd.Context(), on, wasm, cmd)
	if err != nil {
		return nil, nil, errors.Join(err, on.Close())
	}
	closing := func() { closeAll(program, on) }
	r := &repl{
		out: cmd.OutOrStdout(), name: "main", images: map[string]*image.Image{}, copies: map[string]*image.Image{},
		config: js.Config{Limits: limits, Print: js.PrintTo(cmd.OutOrStdout())},
		stopped: func(w *js.Worker) func() {
			ctx, release := interrupted(cmd.Context())
			disarm := context.AfterFunc(ctx, w.Stop)
			return func() { disarm(); release() }
		},
	}
	if r.engine, err = js.New(program, build); err == nil {
		r.locked, err = lockedImage(h, bundle)(build, r.engine.Label(), func() (*image.Image, error) {
			return r.engine.Lockdown(js.Config{}, bundle)
		})
	}
	if err != nil {
		closing()
		return nil, nil, err
	}
	return r, closing, nil
}

func closeAll(program *machine.Program, on machine.Engine) {
	program.Close()
	on.Close()
}

// begin makes the worker: after lockdown, or from an image in a file.
func (r *repl) begin(from string) error {
	img := r.locked
	if from != "" {
		file, err := os.Open(from)
		if err != nil {
			return err
		}
		defer file.Close()
		var label *image.Label
		if img, label, err = image.Read(file, image.Limits{}); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		if *label != *r.engine.Label() {
			return fmt.Errorf("%s: an image of another program or engine of JavaScript", from)
		}
	}
	return r.goOn(img)
}

// goOn makes a worker from an image the one that is talked to.
func (r *repl) goOn(img *image.Image) error {
	w, err := r.engine.Restore(img, r.config)
	if err != nil {
		return err
	}
	if r.worker != nil {
		r.worker.Close()
	}
	r.worker = w
	return nil
}

// talk reads lines to the end.
func (r *repl) talk(cmd *cobra.Command) error {
	defer func() { r.worker.Close() }()
	read, restore, err := lineReader(cmd.InOrStdin(), r)
	if err != nil {
		return err
	}
	defer restore()
	for {
		line, err := read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch line = strings.TrimSpace(line); {
		case line == "":
		case line == ".exit":
			return nil
		case strings.HasPrefix(line, "."):
			err = r.command(line)
		default:
			err = r.line(line)
		}
		if err != nil {
			fmt.Fprintf(r.out, "error: %s\n", plainLines(err.Error()))
		}
	}
}

// lineBytesMax bounds a line that is no line of a terminal.
const lineBytesMax = 64 << 20

// lineReader reads lines: of a terminal with a prompt, editing and history.
func lineReader(stdin io.Reader, r *repl) (read func() (string, error), restore func(), err error) {
	if !isTerminal(stdin) {
		lines := bufio.NewScanner(stdin)
		lines.Buffer(nil, lineBytesMax)
		return func() (string, error) {
			if !lines.Scan() {
				if lines.Err() == nil {
					return "", io.EOF
				}
				return "", fmt.Errorf("read a line: %w", lines.Err())
			}
			return lines.Text(), nil
		}, func() {}, nil
	}
	file := stdin.(*os.File)
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{file, r.out}, "")
	fmt.Fprintln(r.out, "JavaScript, locked down. .help lists commands, Ctrl-D ends.")
	return func() (string, error) {
		// Only while a line is read: what code prints needs a terminal as it was.
		raw, err := term.MakeRaw(int(file.Fd()))
		if err != nil {
			return "", err
		}
		defer term.Restore(int(file.Fd()), raw)
		screen.SetPrompt(r.name + "> ")
		return screen.ReadLine()
	}, func() {}, nil
}

// evaluation has a line evaluated, and what comes of it shown as console does.
const evaluation = `((line, awaits) => {
  const show = (value) => {
    if (value === undefined) return;
    if (typeof value === 'string') print(JSON.stringify(value));
    else console.log(value);
  };
  const value = (0, eval)(line);
  if (!awaits) return void show(value);
  const report = { result: 'it waits for what never comes' };
  value().then((v) => { report.result = undefined; show(v); }, (e) => { report.result = undefined; console.error('Uncaught', e); });
  return report;
})`

// line evaluates one, and makes what it leaves what a later fault goes back to.
func (r *repl) line(line string) error {
	code, awaits := bundler.Lasting(line), false
	if rest, ok := strings.CutPrefix(line, "await "); ok {
		code, awaits = "(async () => (await "+strings.TrimSuffix(rest, ";")+"))", true
	}
	quoted, err := json.Marshal(code)
	if err != nil {
		return err
	}
	disarm := r.stopped(r.worker)
	reply, err := r.worker.Evaluate(fmt.Sprintf("%s(%s, %t)", evaluation, quoted, awaits))
	disarm()
	if err != nil {
		return err
	}
	if reply.Outcome.Class != turn.Exit {
		if err := r.worker.Rollback(); err != nil {
			return err
		}
		return fmt.Errorf("%s; the worker is what it was before the line", fault(reply.Outcome))
	}
	if _, err := r.worker.Snapshot(); err != nil {
		return err
	}
	switch {
	case reply.Thrown != nil:
		fmt.Fprintf(r.out, "Uncaught %s\n", plainLines(reply.Thrown.Trace()))
	case awaits && reply.Type == "string":
		fmt.Fprintln(r.out, reply.Text)
	}
	_, err = fmt.Fprintf(r.out, "  // %s fuel\n", grouped(reply.Outcome.Fuel))
	return err
}

// fault is how JavaScript ended that did not come to its end.
func fault(o turn.Outcome) string {
	switch o.Class {
	case turn.Fuel:
		return "out of fuel after " + grouped(o.Fuel) + " units"
	case turn.Memory:
		return "out of memory; --memory gives more, up to 2GiB"
	case turn.Depth:
		return "too deep"
	case turn.Stopped:
		return "stopped"
	}
	return fmt.Sprintf("%v: %s", o.Class, plain(firstLine(o.Text)))
}

// command does what begins with a dot.
func (r *repl) command(line string) error {
	name, argument, _ := strings.Cut(line, " ")
	argument = strings.TrimSpace(argument)
	wants := map[string]string{".snapshot": "NAME", ".restore": "NAME", ".fork": "NAME", ".switch": "NAME", ".save": "FILE", ".list": "", ".help": ""}
	want, ok := wants[name]
	switch {
	case !ok:
		return fmt.Errorf("there is no command %s; .help lists them", name)
	case want == "" && argument != "":
		return fmt.Errorf("%s takes no %q", name, argument)
	case want != "" && argument == "":
		return fmt.Errorf("%s needs a name: %s %s", name, name, want)
	}
	switch name {
	case ".help":
		fmt.Fprintln(r.out, replHelp)
		return nil
	case ".list":
		r.list()
		return nil
	}
	now, err := r.worker.Snapshot()
	if err != nil {
		return err
	}
	switch name {
	case ".snapshot":
		r.images[argument] = now
		fmt.Fprintf(r.out, "kept as %s: %s\n", argument, root(now))
	case ".restore":
		img, ok := r.images[argument]
		if !ok {
			return fmt.Errorf("there is no snapshot %q; .list lists them", argument)
		}
		return r.goOn(img)
	case ".fork":
		if _, taken := r.copies[argument]; taken || argument == r.name {
			return fmt.Errorf("there is a copy %q; .switch %s goes on in it", argument, argument)
		}
		r.copies[r.name] = now
		r.name = argument
		return r.goOn(now)
	case ".switch":
		img, ok := r.copies[argument]
		if !ok {
			return fmt.Errorf("there is no other copy %q; .list lists them", argument)
		}
		r.copies[r.name] = now
		delete(r.copies, argument)
		r.name = argument
		return r.goOn(img)
	case ".save":
		if err := disk.Replace(argument, func(w io.Writer) error { return image.Write(w, now, r.engine.Label()) }); err != nil {
			return err
		}
		fmt.Fprintf(r.out, "written to %s: %s\n", argument, root(now))
	}
	return nil
}

func root(img *image.Image) string { return seal.Digest(img.Root()).Short() }

func (r *repl) list() {
	for _, name := range slices.Sorted(maps.Keys(r.images)) {
		fmt.Fprintf(r.out, "snapshot  %s  %s\n", plain(name), root(r.images[name]))
	}
	fmt.Fprintf(r.out, "copy      %s  (here)\n", plain(r.name))
	for _, name := range slices.Sorted(maps.Keys(r.copies)) {
		fmt.Fprintf(r.out, "copy      %s  %s\n", plain(name), root(r.copies[name]))
	}
}
