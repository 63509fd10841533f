package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"carrel/guest/js"
	"carrel/home"
	"carrel/machine/image"
	"carrel/npm"
	"carrel/npm/bundler"
	"carrel/npm/lockdown"
	"carrel/npm/quickjs"
	"carrel/runner"
	"carrel/store/images"
)

// scriptEndings are those of programs of JavaScript, which is bundled, and of
// TypeScript, whose types are only taken off.
var scriptEndings = []string{".js", ".mjs", ".cjs", ".ts", ".mts"}

func isScript(name string) bool { return slices.Contains(scriptEndings, filepath.Ext(name)) }

// checkScript reports flags that are not for JavaScript.
func (f *runFlags) checkScript() error {
	return unfit("JavaScript", []flagUse{
		{len(f.dirs) > 0, "dir", "it sees no files: give it its input with <, or have it import what it needs"},
		{len(f.tars) > 0, "tar", "it sees no files: give it its input with <, or have it import what it needs"},
		{f.cwd != "", "cwd", "it sees no files"},
		{f.clock != "tick", "clock", "its clock ticks"},
		{f.call != "", "call", "its default export is called"},
		{f.from != "", "from", "carrel repl keeps images, and the Go library guest/js"},
		{f.imageOut != "", "image-out", "carrel repl keeps images, and the Go library guest/js"},
		{f.trace != "", "trace", "it calls no imports"},
	})
}

// A flagUse is whether a flag was given, and why it should not be.
type flagUse struct {
	given     bool
	flag, why string
}

// unfit reports the first flag that was given and is not for a language.
func unfit(language string, uses []flagUse) error {
	for _, u := range uses {
		if u.given {
			return usagef("--%s is not for %s: %s", u.flag, language, u.why)
		}
	}
	return nil
}

// loadScript makes of a module, and of all that it imports, what is run. It tells
// where the engine of JavaScript is, nothing if it is built in.
func loadScript(cmd *cobra.Command, name string, spec *runner.Spec) (engine string, err error) {
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return "", failf(exitNotFound, "%s: there is no such program", name)
	}
	main, err := bundler.Program(name, bundler.Options{Warn: func(m bundler.Message) {
		fmt.Fprintf(cmd.ErrOrStderr(), "carrel: %s\n", plainLines(m.String()))
	}})
	if err != nil {
		return "", failf(exitRefused, "%w", err)
	}
	h, err := home.Find()
	if err != nil {
		return "", err
	}
	locked, err := readGuest(cmd, &lockdownGuest, h, func(dir string) ([]byte, error) { return lockdown.File(dir, lockdown.Secure) })
	if err != nil {
		return "", err
	}
	if spec.Program, err = readGuest(cmd, &engineGuest, h, quickjs.Engine); err != nil {
		return "", err
	}
	spec.Script = &runner.Script{Main: []byte(main), Lockdown: locked, Locked: lockedImage(h, locked)}
	if js.Embedded() != nil {
		return "", nil
	}
	return filepath.Join(quickjs.Dir(h.Tools), quickjs.FileName), nil
}

// readGuest reads a file of a guest, which is fetched if it is not there.
func readGuest(cmd *cobra.Command, g *guest, h home.Home, read func(dir string) ([]byte, error)) ([]byte, error) {
	dir := g.dir(h.Tools)
	content, err := read(dir)
	if !errors.Is(err, npm.ErrAbsent) {
		return content, err
	}
	if err := g.get(cmd, dir, ""); err != nil {
		return nil, err
	}
	return read(dir)
}

// lockedImage keeps the image after lockdown by a bundle.
func lockedImage(h home.Home, bundle []byte) func(js.Build, *image.Label, func() (*image.Image, error)) (*image.Image, error) {
	return func(build js.Build, label *image.Label, make func() (*image.Image, error)) (*image.Image, error) {
		starts, err := images.Open(h.Starts, images.Options{})
		if err != nil {
			return nil, err
		}
		return starts.Named("locked-"+js.StartName(build, bundle), label, make)
	}
}
