package bundler

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"carrel/guest/js/bundle"
)

//go:embed link.js
var linker string

// Link makes a script of an EndoZip: its modules, as Endo has prepared them, and
// what links them when it is evaluated. As in the archive, modules import only
// what its map says; what is the host's comes from the host's require.
func Link(b *bundle.Bundle, format bundle.Format) (*bundle.Bundle, error) {
	if format != bundle.GetExport && format != bundle.NestedEvaluate {
		return nil, fmt.Errorf("link: %q is no format of a script", format)
	}
	archive, err := b.Open()
	if err != nil {
		return nil, err
	}
	l := &linking{archive: archive, nested: format == bundle.NestedEvaluate, index: map[bundle.Reference]int{}}
	entry, err := l.add(archive.Entry)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	before := "() => {\n" + beforeScript
	if l.nested {
		before = "(sourceUrlPrefix) => {\n" + beforeScript + findEvaluate + "  const source = (text, name) => evaluate(text + '\\n//# sourceURL=' + prefix + name + '\\n');\n"
	}
	_, function, _ := strings.Cut(linker, "\n(modules")
	source := fmt.Sprintf("%s%sreturn ((modules%s)([\n%s\n], %d, host);\n}", before, findHost, strings.TrimSuffix(strings.TrimSpace(function), ";"), strings.Join(l.modules, ",\n"), entry)
	return &bundle.Bundle{Format: format, Source: source}, nil
}

// findHost is where modules of the host come from.
const findHost = `  const host = typeof require === 'function' ? require : (name) => {
    throw new TypeError('Cannot import host module: ' + name);
  };
`

// A linking is an archive on its way to a script.
type linking struct {
	archive *bundle.Archive
	nested  bool
	index   map[bundle.Reference]int
	modules []string // each as the linker wants it
}

// prepared is what Endo makes of a module.
type prepared struct {
	Imports   []string
	Reexports []string
	Program   string                     `json:"__syncModuleProgram__"`
	Source    string                     // of CommonJS
	Fixed     map[string]json.RawMessage `json:"__fixedExportMap__"`
	Live      map[string]json.RawMessage `json:"__liveExportMap__"`
	Names     map[string][][2]string     `json:"__reexportMap__"`
}

// linkDepthMax bounds how far a reference leads over others.
const linkDepthMax = 64

// resolve follows a reference to a module.
func (l *linking) resolve(r bundle.Reference) (bundle.Reference, bundle.Module, error) {
	for range linkDepthMax {
		m, ok := l.archive.Compartments[r.Compartment].Modules[r.Module]
		if !ok {
			return r, m, fmt.Errorf("compartment %.80q has no module %.200q", r.Compartment, r.Module)
		}
		if m.Parser != "" || m.Exit != "" {
			return r, m, nil
		}
		r = m.To
	}
	return r, bundle.Module{}, fmt.Errorf("%.200q leads in a circle", r.Module)
}

// add adds a module and all that it imports.
func (l *linking) add(r bundle.Reference) (int, error) {
	r, m, err := l.resolve(r)
	if err != nil {
		return 0, err
	}
	if at, ok := l.index[r]; ok {
		return at, nil
	}
	at := len(l.modules)
	l.index[r] = at
	l.modules = append(l.modules, "")
	text, err := l.module(r, m)
	if err != nil {
		return 0, fmt.Errorf("%.80q of %.80q: %w", r.Module, r.Compartment, err)
	}
	l.modules[at] = text
	return at, nil
}

func (l *linking) module(r bundle.Reference, m bundle.Module) (string, error) {
	if m.Exit != "" {
		name, err := literal(m.Exit)
		return object("host", name), err
	}
	switch m.Parser {
	case "json":
		if !json.Valid([]byte(m.Text)) {
			return "", fmt.Errorf("it is no JSON")
		}
		text, err := literal(m.Text)
		return object("value", "JSON.parse("+text+")"), err
	case "text":
		text, err := literal(m.Text)
		return object("value", text), err
	case "pre-mjs-json", "pre-cjs-json":
	default:
		return "", fmt.Errorf("it is %.40q: only what is prepared can be linked (pre-mjs-json, pre-cjs-json, json, text); bundle its source", m.Parser)
	}
	var p prepared
	if err := json.Unmarshal([]byte(m.Text), &p); err != nil {
		return "", err
	}
	imports := map[string]int{}
	for _, specifier := range p.Imports {
		to, ok := l.archive.Compartments[r.Compartment].Modules[specifier]
		reference := bundle.Reference{Compartment: r.Compartment, Module: specifier}
		if !ok {
			reference.Module = join(r.Module, specifier)
		} else if to.To != (bundle.Reference{}) {
			reference = to.To
		}
		at, err := l.add(reference)
		if err != nil {
			return "", err
		}
		imports[specifier] = at
	}
	program := p.Program
	if m.Parser == "pre-cjs-json" {
		program = p.Source
	}
	traps, err := p.traps()
	if err != nil {
		return "", err
	}
	if program, err = trap(program, traps); err != nil {
		return "", err
	}
	run := "(" + lexicals + ") => (" + program + "\n)"
	if l.nested {
		text, err := literal("(" + run + ")")
		if err != nil {
			return "", err
		}
		name, err := literal(strings.Map(printable, r.Compartment+"/"+m.Location))
		if err != nil {
			return "", err
		}
		run = "(" + lexicals + ") => source(" + text + ", " + name + ")(" + lexicals + ")"
	}
	numbers, err := json.Marshal(imports)
	if err != nil {
		return "", err
	}
	if m.Parser == "pre-cjs-json" {
		file, err := literal("/" + r.Compartment + "/" + m.Location)
		return object("run", run, "imports", string(numbers), "common", "true", "file", file), err
	}
	rest, err := json.Marshal(struct {
		Exports   map[string]json.RawMessage `json:"exports"`
		Live      map[string]json.RawMessage `json:"live"`
		Reexports map[string][][2]string     `json:"reexports"`
		All       []string                   `json:"all"`
	}{orEmpty(p.Fixed), orEmpty(p.Live), orEmpty(p.Names), append([]string{}, p.Reexports...)})
	if err != nil {
		return "", err
	}
	return object("run", run, "imports", string(numbers), "...", string(rest)), nil
}

// orEmpty is a map that is not nil.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// object is an object literal of keys and expressions.
func object(pairs ...string) string {
	var b strings.Builder
	b.WriteString("{ ")
	for n := 0; n < len(pairs); n += 2 {
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString(pairs[n])
		if pairs[n] != "..." {
			b.WriteString(": ")
		}
		b.WriteString(pairs[n+1])
	}
	b.WriteString(" }")
	return b.String()
}

// lexicals is what holds the variables that a module exports and assigns to. Endo
// has left those free.
const lexicals = "__carrel_lexicals"

// traps are the names of those variables.
func (p *prepared) traps() (all []string, err error) {
	for name, how := range p.Live {
		var local string
		var isTrap bool
		if err := json.Unmarshal(how, &[]any{&local, &isTrap}); err != nil {
			return nil, fmt.Errorf("export %.80q: %w", name, err)
		}
		if isTrap {
			all = append(all, local)
		}
	}
	return all, nil
}

// trap is a program in which some free names are members of lexicals, and nothing
// is left that SES would refuse.
func trap(program string, names []string) (string, error) {
	define := map[string]string{}
	for _, name := range names {
		define[name] = lexicals + "." + name
	}
	result := api.Transform("("+strings.TrimRight(program, "; \n")+"\n)", api.TransformOptions{Define: define, LegalComments: api.LegalCommentsNone, LogLevel: api.LogLevelSilent})
	if len(result.Errors) > 0 {
		return "", errors.New(result.Errors[0].Text)
	}
	return rewrite(strings.TrimSuffix(strings.TrimSpace(string(result.Code)), ";")), nil
}

// join resolves a relative specifier against a module's name.
func join(base, specifier string) string {
	if !strings.HasPrefix(specifier, "./") && !strings.HasPrefix(specifier, "../") {
		return specifier
	}
	parts := strings.Split(base, "/")
	parts = parts[:len(parts)-1]
	for _, part := range strings.Split(specifier, "/") {
		switch part {
		case ".":
		case "..":
			if len(parts) > 1 {
				parts = parts[:len(parts)-1]
			}
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 || parts[0] != "." {
		parts = slices.Concat([]string{"."}, parts)
	}
	return strings.Join(parts, "/")
}
