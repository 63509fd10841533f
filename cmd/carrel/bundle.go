package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"carrel/guest/js/bundle"
	"carrel/npm/bundler"
)

// A bundleFormat is a format that carrel bundle writes.
type bundleFormat bundle.Format

func (f *bundleFormat) Set(s string) error {
	switch bundle.Format(s) {
	case bundle.GetExport, bundle.NestedEvaluate:
		*f = bundleFormat(s)
		return nil
	case bundle.EndoZip:
		return fmt.Errorf("%s is read, not written; %s and %s are written", s, bundle.GetExport, bundle.NestedEvaluate)
	}
	return fmt.Errorf("%q is neither %s nor %s", s, bundle.GetExport, bundle.NestedEvaluate)
}

func (f *bundleFormat) String() string { return string(*f) }
func (f *bundleFormat) Type() string   { return "FORMAT" }

func bundleCommand() *cobra.Command {
	options := bundler.Options{}
	form := bundleFormat(bundle.GetExport)
	var to string
	cmd := &cobra.Command{
		Use:   "bundle [flags] ENTRY",
		Short: "Make one script of a JavaScript module and all that it imports",
		Long: `Bundle resolves imports as npm does (node_modules, exports with conditions,
CommonJS, JSON, TypeScript) and writes a bundle: JSON as of Endo and SwingSet, whose
source gives the module's exports. The same files give the same bytes.

ENTRY may be a bundle in endoZipBase64 format: its hashes are checked, and it is
written as a script.` + exits("0  written", "1  a module is wrong: the messages say where", "125  our own error", "127  ENTRY was not found"),
		Example: `  carrel bundle vat.js -o vat.bundle
  carrel bundle --format nestedEvaluate --condition browser main.ts | sha256sum
  carrel bundle contract.endozip.json -o contract.bundle
  carrel bundle show vat.bundle                  what a bundle is, and holds`,
		Args: exactly("ENTRY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Format = bundle.Format(form)
			options.Warn = func(m bundler.Message) {
				fmt.Fprintf(cmd.ErrOrStderr(), "carrel: warning: %s\n", plainLines(m.String()))
			}
			made, err := makeBundle(args[0], options)
			if faulty := (*bundler.Error)(nil); errors.As(err, &faulty) {
				return failf(1, "%w", err)
			} else if err != nil {
				return err
			}
			text, err := made.Encode()
			if err != nil {
				return err
			}
			return writeFileOr(cmd, to, text)
		},
	}
	flags := cmd.Flags()
	flags.Var(&form, "format", "getExport or nestedEvaluate: a function of nothing, or of a prefix for names in stacks")
	flags.StringArrayVar(&options.Conditions, "condition", nil, "take this `CONDITION` of a package's exports too, beside import, require and default")
	flags.StringArrayVar(&options.External, "external", nil, "do not bundle the module `NAME`: the host's require gives it")
	flags.StringVarP(&to, "output", "o", "-", "write to this `FILE`, - is standard output")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"getExport", "nestedEvaluate"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.AddCommand(bundleShowCommand())
	return cmd
}

// makeBundle bundles a module, or makes a script of a bundle.
func makeBundle(entry string, options bundler.Options) (*bundle.Bundle, error) {
	archive, err := findArchive(entry)
	if err != nil {
		return nil, err
	}
	if archive != nil {
		return bundler.Link(archive, options.Format)
	}
	return bundler.Bundle(entry, options)
}

// findArchive reads a bundle in endoZipBase64 format, or gives nil if a file is
// something else.
func findArchive(name string) (*bundle.Bundle, error) {
	text, err := readBundleFile(name)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) || !bytes.Contains(text, []byte(bundle.EndoZip)) {
		return nil, err
	}
	b, err := bundle.Read(text)
	if err != nil || b.Format != bundle.EndoZip {
		return nil, nil // some module: what is wrong with it, the bundler says
	}
	return b, nil
}

// readBundleFile reads a bundle, or what could be one.
func readBundleFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf(exitNotFound, "%s: there is no such file", name)
	} else if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, bundle.BytesMax+1))
	if err == nil && len(text) > bundle.BytesMax {
		err = fmt.Errorf("%s is larger than %s: no bundle is", name, bytesOf(bundle.BytesMax))
	}
	return text, err
}

// A bundleReport is what carrel bundle show says.
type bundleReport struct {
	Format  bundle.Format  `json:"format"`
	ID      string         `json:"id"`
	Bytes   int            `json:"bytes"`
	SHA256  string         `json:"sha256"`
	Entry   string         `json:"entry,omitempty"`
	Modules []moduleReport `json:"modules,omitempty"`
}

type moduleReport struct {
	Compartment string `json:"compartment"`
	Module      string `json:"module"`
	Language    string `json:"language,omitempty"`
	Bytes       int    `json:"bytes,omitempty"`
	Exit        string `json:"exit,omitempty"`
}

func bundleShowCommand() *cobra.Command {
	var o format
	cmd := &cobra.Command{
		Use:   "show [flags] FILE",
		Short: "Show what a bundle is, and what modules an archive holds",
		Long: `Show checks a bundle and says its format, its ID in SwingSet and its hash. Of an
archive, endoZipBase64, it checks all hashes and lists the modules.` + exits("0  shown", "125  it is no bundle, or its hashes are wrong", "127  FILE was not found"),
		Example: "  carrel bundle show vat.bundle\n  carrel bundle show -o json contract.endozip.json",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readBundleFile(args[0])
			if err != nil {
				return err
			}
			report, err := reportBundle(text)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if o == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			return report.write(cmd.OutOrStdout())
		},
	}
	o.flag(cmd)
	return cmd
}

func reportBundle(text []byte) (*bundleReport, error) {
	b, err := bundle.Read(text)
	if err != nil {
		return nil, err
	}
	id, err := b.ID()
	if err != nil {
		return nil, err
	}
	report := &bundleReport{Format: b.Format, ID: id, Bytes: len(text), SHA256: bundle.Hash(text)}
	if b.Format != bundle.EndoZip {
		return report, nil
	}
	archive, err := b.Open()
	if err != nil {
		return nil, err
	}
	report.Entry = archive.Entry.Compartment + " " + archive.Entry.Module
	for _, name := range slices.Sorted(maps.Keys(archive.Compartments)) {
		c := archive.Compartments[name]
		for _, specifier := range slices.Sorted(maps.Keys(c.Modules)) {
			if m := c.Modules[specifier]; m.Parser != "" || m.Exit != "" {
				report.Modules = append(report.Modules, moduleReport{name, specifier, m.Parser, len(m.Text), m.Exit})
			}
		}
	}
	return report, nil
}

func (r *bundleReport) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "format   %s\nid       %s\nsha256   %s\nbytes    %s\n", r.Format, r.ID, r.SHA256, grouped(uint64(r.Bytes)))
	if r.Format == bundle.EndoZip {
		fmt.Fprintf(&b, "entry    %s\nmodules  %d\n", plain(r.Entry), len(r.Modules))
	}
	for _, m := range r.Modules {
		what := fmt.Sprintf("%s, %s bytes", m.Language, grouped(uint64(m.Bytes)))
		if m.Exit != "" {
			what = "of the host: " + m.Exit
		}
		fmt.Fprintf(&b, "  %s %s  (%s)\n", plain(m.Compartment), plain(m.Module), plain(what))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
