// Package bundler makes one script of a JavaScript module and all that it
// imports, as npm resolves it: node_modules, the exports of a package with its
// conditions, CommonJS, JSON, TypeScript. The same files give the same bytes on
// every machine. esbuild does the work, in this process.
package bundler

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"carrel/guest/js/bundle"
)

// Options say how modules are bundled. The zero value is good for most.
type Options struct {
	// Format is GetExport or NestedEvaluate; GetExport if empty.
	Format bundle.Format
	// Conditions are what a package's exports may ask for, beside import, require
	// and default.
	Conditions []string
	// External are names that are not bundled: the host's require gives them.
	External []string
	// Warn is told what is suspect and no error, one at a time.
	Warn func(Message)
}

// A Message says what is wrong with a module, and where.
type Message struct {
	Text string
	// File is the path of the module, or empty if it is of no module. Line and
	// Column begin with 1.
	File         string
	Line, Column int
}

func (m Message) String() string {
	if m.File == "" {
		return m.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// An Error is why modules cannot be bundled.
type Error struct{ Messages []Message }

func (e *Error) Error() string {
	lines := make([]string, len(e.Messages))
	for n, m := range e.Messages {
		lines[n] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Bundle bundles a module. Errors of modules are an *Error.
func Bundle(entry string, o Options) (*bundle.Bundle, error) {
	if o.Format == "" {
		o.Format = bundle.GetExport
	}
	if o.Format != bundle.GetExport && o.Format != bundle.NestedEvaluate {
		return nil, fmt.Errorf("bundle %s: %q is not made: %s and %s are", entry, o.Format, bundle.GetExport, bundle.NestedEvaluate)
	}
	project, err := findProject(entry)
	if err != nil {
		return nil, err
	}
	text, err := project.build(o, api.FormatIIFE)
	if err != nil {
		return nil, err
	}
	return Wrap(o.Format, project.name, text)
}

// Module bundles a module as one: an ES module that imports nothing but what is
// external.
func Module(entry string, o Options) (string, error) {
	project, err := findProject(entry)
	if err != nil {
		return "", err
	}
	return project.build(o, api.FormatESModule)
}

// A project is a module with the directory that its files are named from, so
// that where that is does not matter.
type project struct {
	dir   string
	entry string // below dir
	name  string // for people: of the package, and the entry
}

// findProject finds the package that a module is in, or else takes the module's
// directory.
func findProject(entry string) (*project, error) {
	file, err := filepath.Abs(entry)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &os.PathError{Op: "bundle", Path: entry, Err: errors.New("is a directory; name the module that is its entry")}
	}
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return nil, err
	}
	of := func(dir, name string) (*project, error) {
		below, err := filepath.Rel(dir, file)
		below = filepath.ToSlash(below)
		return &project{dir, below, path.Join(name, below)}, err
	}
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err == nil {
			var p struct{ Name string }
			_ = json.Unmarshal(text, &p) // esbuild says what is wrong with it
			return of(dir, path.Base("/"+p.Name))
		}
		if dir == filepath.Dir(dir) {
			return of(filepath.Dir(file), "")
		}
	}
}

// exportsName is what a script calls the exports.
const exportsName = "exports"

// build runs esbuild.
func (p *project) build(o Options, format api.Format) (string, error) {
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: p.dir,
		EntryPoints:   []string{"./" + p.entry},
		Bundle:        true,
		Format:        format,
		GlobalName:    map[api.Format]string{api.FormatIIFE: exportsName}[format],
		Platform:      api.PlatformNeutral,
		MainFields:    []string{"browser", "module", "main"}, // what a browser gets needs nothing of node
		Conditions:    append([]string{}, o.Conditions...),
		External:      o.External,
		Target:        api.ES2022,
		LegalComments: api.LegalCommentsNone,
		KeepNames:     true,
		// SES refuses import(): what is not bundled goes to require.
		Supported: map[string]bool{"dynamic-import": false},
		Define:    map[string]string{"process.env.NODE_ENV": `"production"`},
		Outfile:   "/bundle.js", // named in messages only
		LogLevel:  api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		e := &Error{}
		for _, m := range result.Errors {
			e.Messages = append(e.Messages, p.message(m))
		}
		return "", e
	}
	if o.Warn != nil {
		for _, m := range result.Warnings {
			o.Warn(p.message(m))
		}
	}
	if len(result.OutputFiles) != 1 {
		return "", fmt.Errorf("bundle %s: it became %d files, not one", p.entry, len(result.OutputFiles))
	}
	script := rewrite(string(result.OutputFiles[0].Contents))
	if found := refusedInCode.FindString(script); found != "" && o.Warn != nil {
		o.Warn(Message{Text: fmt.Sprintf("a compartment would refuse this bundle: it holds %q", strings.TrimSpace(found))})
	}
	return script, nil
}

// message makes a message of esbuild's one, with the file as seen from the
// working directory.
func (p *project) message(m api.Message) Message {
	text := m.Text
	for _, note := range m.Notes {
		text += ". " + hint(note.Text)
	}
	if m.Location == nil {
		return Message{Text: text}
	}
	file := filepath.Join(p.dir, filepath.FromSlash(m.Location.File))
	if dir, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(near) {
			file = near
		}
	}
	return Message{text, file, m.Location.Line, m.Location.Column + 1}
}

// hint is what esbuild advises, in our words where it names options that are not
// ours.
func hint(note string) string {
	switch {
	case strings.Contains(note, "built into node"):
		return "It is part of node, which is not here; a package may have something else for --condition browser, and --external leaves it to the host's require"
	case strings.Contains(note, "as external to exclude"):
		return "Install it, or leave it to the host's require with --external"
	}
	return strings.TrimSuffix(note, ".")
}
