package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"carrel/client/xsnap"
	"carrel/guest/js"
	"carrel/machine"
	"carrel/turn"
)

//go:embed js/kernels
var scripts embed.FS

// A script is a program that defines kernel, a function that answers a text.
type script struct{ name, source string }

// readScripts are the kernels of JavaScript that the options ask for.
func (o *options) readScripts() (all []script, err error) {
	files, err := fs.Glob(scripts, "js/kernels/*.js")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".js")
		source, err := scripts.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if o.only.MatchString(name) {
			all = append(all, script{name, string(source)})
		}
	}
	return all, nil
}

// A scriptSubject is what runs scripts: start makes a contestant that does.
type scriptSubject struct {
	name  string
	start func(script) (run func() (string, time.Duration, error), end func(), err error)
}

// scriptFuel is more than any kernel takes.
const scriptFuel = 1e12

// workerOn is an engine of JavaScript on one of the machine's engines, metered.
func workerOn(ctx context.Context, m machine.Engine, name string, wasm []byte) (scriptSubject, error) {
	program, err := machine.Load(ctx, m, wasm)
	if err != nil {
		return scriptSubject{}, err
	}
	engine, err := js.New(program, js.Unknown(wasm))
	if err != nil {
		return scriptSubject{}, err
	}
	return scriptSubject{name + " on " + m.Name(), func(s script) (func() (string, time.Duration, error), func(), error) {
		w, err := engine.Start(js.Config{Limits: js.Limits{Fuel: scriptFuel}})
		if err != nil {
			return nil, nil, err
		}
		evaluate := func(source string) (string, error) {
			reply, err := w.Evaluate(source)
			switch {
			case err != nil:
				return "", err
			case reply.Outcome.Class != turn.Exit:
				return "", fmt.Errorf("%v: %s", reply.Outcome.Class, reply.Outcome.Text)
			case reply.Thrown != nil:
				return "", reply.Thrown
			}
			return reply.Text, nil
		}
		if _, err := evaluate(s.source); err != nil {
			return nil, nil, err
		}
		return func() (result string, spent time.Duration, err error) {
			spent, err = timed(func() (err error) {
				result, err = evaluate("kernel()")
				return err
			})
			return result, spent, err
		}, func() { w.Close() }, nil
	}}, nil
}

// childrenTime is the processor time of the processes that this one waited for.
func childrenTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// A process calls a kernel so often that this takes about processSpends longer than
// to start it, at most processRoundsMax times.
const (
	processSpends    = time.Second
	processRoundsMax = 50
)

// repeated is a script that calls the kernel some times, and then answers result.
func repeated(rounds int, result string) string {
	return fmt.Sprintf("for (let n = 1; n < %d; n++) kernel();\n%s\n", rounds, result)
}

// process is a subject that is a process. What it takes to start and to read the
// script is not counted: run runs the script, and calls its kernel so often.
func process(name string, run func(source string, rounds int) (string, error)) scriptSubject {
	return scriptSubject{name, func(s script) (func() (string, time.Duration, error), func(), error) {
		spend := func(rounds int) (string, time.Duration, error) {
			before, err := childrenTime()
			if err != nil {
				return "", 0, err
			}
			result, err := run(s.source, rounds)
			if err != nil {
				return "", 0, err
			}
			after, err := childrenTime()
			return result, after - before, err
		}
		rounds := 1
		return func() (string, time.Duration, error) {
			_, idle, err := spend(0)
			if err != nil {
				return "", 0, err
			}
			result, spent, err := spend(rounds)
			spent = max(spent-idle, time.Millisecond) / time.Duration(rounds)
			if rounds == 1 {
				rounds = min(int(processSpends/spent)+1, processRoundsMax)
			}
			return result, spent, err
		}, func() {}, nil
	}}
}

// xs is npm's xsnap-worker, which meters itself.
func xs(ctx context.Context, worker string) scriptSubject {
	return process("XS", func(source string, rounds int) (string, error) {
		w, err := xsnap.Start(ctx, xsnap.Options{Path: worker})
		if err != nil {
			return "", err
		}
		defer w.Close()
		if _, err := w.Evaluate(ctx, source); err != nil || rounds == 0 {
			return "", err
		}
		reply, err := w.Evaluate(ctx, repeated(rounds, "({ result: new TextEncoder().encode(kernel()).buffer })"))
		if err != nil {
			return "", err
		}
		return string(reply.Result), w.Close()
	})
}

// interpreter is a command that runs the file it is given, which prints.
func interpreter(name, dir, command string) scriptSubject {
	return process(name, func(source string, rounds int) (string, error) {
		if rounds > 0 {
			source += repeated(rounds, "print(kernel());")
		}
		file := filepath.Join(dir, "script.js")
		if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
			return "", err
		}
		cmd := exec.Command(command, file)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("%s: %w\n%s", command, err, stderr.Bytes())
		}
		return strings.TrimSpace(string(out)), nil
	})
}

// javascript races the engines of JavaScript that are there: those that are not
// are missing from the table.
func (o *options) javascript(ctx context.Context, page *page) error {
	machines, err := engines()
	if err != nil {
		return err
	}
	var subjects []scriptSubject
	there := func(file string) bool { _, err := os.Stat(file); return err == nil }
	if worker, err := filepath.Abs(o.xsnap); err == nil && there(worker) && o.on.MatchString("XS") {
		subjects = append(subjects, xs(ctx, worker))
	}
	for _, native := range []struct{ name, file string }{{"QuickJS, native", "qjs"}, {"goja", "goja"}} {
		if file := filepath.Join(o.dir, native.file); there(file) && o.on.MatchString(native.name) {
			subjects = append(subjects, interpreter(native.name, o.dir, file))
		}
	}
	for _, build := range []struct{ name, file string }{{"our engine", o.wasm[0]}, {"published engine", o.wasm[1]}} {
		wasm, err := os.ReadFile(build.file)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: not measured: %v\n", err)
			continue
		}
		for _, m := range machines {
			if !o.on.MatchString(build.name + " on " + m.Name()) {
				continue
			}
			s, err := workerOn(ctx, m, build.name, wasm)
			if err != nil {
				return fmt.Errorf("%s: %w", build.file, err)
			}
			subjects = append(subjects, s)
		}
	}
	all, err := o.readScripts()
	if err != nil {
		return err
	}
	var rows []row
	for _, s := range all {
		r, err := o.script(s, subjects)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	page.scripts(subjects, rows)
	return nil
}

func (o *options) script(s script, subjects []scriptSubject) (row, error) {
	var contestants []contestant
	for _, subject := range subjects {
		run, end, err := subject.start(s)
		if err != nil {
			return row{}, fmt.Errorf("%s, %s: %w", s.name, subject.name, err)
		}
		defer end()
		contestants = append(contestants, contestant{subject.name, run})
	}
	return race(s.name, contestants, o.turns)
}

// scripts prints the kernels of JavaScript, over the first subject.
func (p *page) scripts(subjects []scriptSubject, rows []row) {
	if len(subjects) == 0 || len(rows) == 0 {
		return
	}
	p.printf("\nXS is npm's xsnap-worker, which meters itself; our engines are metered. Kernels are in bench/js/kernels.\nWanted is a geometric mean of at most 0.75 on wasmtime and 1.35 on wazero.\n\n")
	p.printf("| | %s, ms |", subjects[0].name)
	for _, s := range subjects[1:] {
		p.printf(" %s |", s.name)
	}
	p.printf("\n|---|---|%s\n", strings.Repeat("---|", len(subjects)-1))
	for _, r := range rows {
		p.printf("| %s | %.1f |", r.name, r.times[0].Seconds()*1e3)
		for n := range subjects[1:] {
			p.printf(" %.2f |", float64(r.times[n+1])/float64(r.times[0]))
		}
		p.printf("\n")
	}
	for _, mean := range []struct {
		name string
		rows []row
	}{
		{"**geomean**", rows},
		{"without strings and regexps", withoutRows(rows, "strings", "regexps")},
	} {
		if len(mean.rows) == 0 {
			continue
		}
		p.printf("| %s | |", mean.name)
		for n := range subjects[1:] {
			p.printf(" %.2f |", geomean(ratios(mean.rows, n+1, 0)))
		}
		p.printf("\n")
	}
	p.printf("\n")
}

func withoutRows(rows []row, names ...string) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return slices.Contains(names, r.name) })
}
