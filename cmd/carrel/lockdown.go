package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/npm"
	"carrel/npm/lockdown"
	"carrel/npm/supervisor"
)

// A pinned is a bundle that is known by its hash before it is there.
type pinned struct {
	guest  *guest
	sha256 string
	file   func(dir string) ([]byte, error)
}

// write writes the bundle, or its hash.
func (p *pinned) write(cmd *cobra.Command, hash bool, to string) error {
	content := []byte(p.sha256 + "\n")
	if !hash {
		h, err := home.Find()
		if err != nil {
			return err
		}
		dir := p.guest.dir(h.Tools)
		content, err = p.file(dir)
		if errors.Is(err, npm.ErrAbsent) {
			if err := p.guest.get(cmd, dir, ""); err != nil {
				return err
			}
			content, err = p.file(dir)
		}
		if err != nil {
			return err
		}
	}
	return writeFileOr(cmd, to, content)
}

// pinnedFlags adds the flags that all commands of pinned bundles have.
func pinnedFlags(cmd *cobra.Command, hash *bool, to *string) {
	cmd.Flags().BoolVar(hash, "sha256", false, "print the hash; the bundle is not needed for that")
	cmd.Flags().StringVarP(to, "output", "o", "-", "write to this `FILE`, - is standard output")
}

// writeFileOr writes a file, or standard output if it is named -.
func writeFileOr(cmd *cobra.Command, name string, content []byte) error {
	fill := func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
	if name == "-" {
		return fill(cmd.OutOrStdout())
	}
	return publish(name, fill)
}

func lockdownCommand() *cobra.Command {
	var debug, inspector, hash bool
	var to string
	cmd := &cobra.Command{
		Use:   "lockdown [flags]",
		Short: "Write the bundle that makes a start compartment of Hardened JavaScript",
		Long: `Lockdown writes a bundle in nestedEvaluate format: @endo/init, a console over
print, and an inspector for it that is confined. Evaluate it as

  (${bundle.source}\n)()

in an engine that has print. The bytes are the same on every machine and fixed for
a build of carrel. They are made when they are first needed, of packages that npm
fetches; then they are kept.` + exits("0  written", "125  our own error"),
		Example: `  carrel lockdown -o lockdown.bundle
  carrel lockdown --sha256                       what sha256sum says of it
  carrel lockdown --debug -o lockdown-debug.bundle`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := lockdown.Secure
			switch {
			case debug && inspector:
				return usagef("--debug and --inspector are two bundles: ask for one")
			case debug:
				v = lockdown.Debug
			case inspector:
				v = lockdown.Inspector
			}
			p := pinned{&lockdownGuest, v.SHA256(), func(dir string) ([]byte, error) { return lockdown.File(dir, v) }}
			return p.write(cmd, hash, to)
		},
	}
	cmd.Flags().BoolVar(&debug, "debug", false, "the bundle of @endo/init/debug.js: errors keep their stacks, and it is less safe")
	cmd.Flags().BoolVar(&inspector, "inspector", false, fmt.Sprintf("the inspector alone, as the module %s: its default export is a getExport bundle", lockdown.Inspector))
	pinnedFlags(cmd, &hash, &to)
	return cmd
}

func supervisorCommand() *cobra.Command {
	var hash bool
	var to string
	cmd := &cobra.Command{
		Use:   "supervisor [flags]",
		Short: "Write the bundle that makes a SwingSet worker, as Agoric published it",
		Long: fmt.Sprintf(`Supervisor writes the bundle of %s, to the byte: liveslots
and what loads a vat's code. Evaluate it after the lockdown bundle. npm fetches it
when it is first needed; then it is kept.`, supervisor.Published) + exits("0  written", "125  our own error"),
		Example: `  carrel supervisor -o supervisor.bundle
  carrel supervisor --sha256                     what sha256sum says of it`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := pinned{&supervisorGuest, supervisor.SHA256(), supervisor.File}
			return p.write(cmd, hash, to)
		},
	}
	pinnedFlags(cmd, &hash, &to)
	return cmd
}
