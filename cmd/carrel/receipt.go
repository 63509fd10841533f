package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"carrel/quantity"
	"carrel/receipt"
	"carrel/receipt/bundle"
)

func receiptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receipt",
		Short: "Show receipts, and make bundles that others can verify",
		Long: `A receipt says what ran, with what, and what came of it, signed. A bundle is a
receipt with the bytes that it names, so that somebody else can verify it.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(receiptShow(), receiptExport())
	return cmd
}

func receiptShow() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "show [flags] RECEIPT|BUNDLE",
		Short: "Show what a receipt says",
		Long: `Show prints what a receipt says. It checks no signature and runs nothing: that is
what carrel verify does.` + exits("0  shown", "125  not a receipt or bundle"),
		Example: "  carrel receipt show r.json\n  carrel receipt show -o json run.bundle | jq .result.fuel",
		Args:    exactly("RECEIPT|BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			paper, err := openPaper(args[0])
			if err != nil {
				return err
			}
			defer paper.Close()
			s, err := receipt.FromEnvelope(paper.envelope)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if out == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return printStatement(cmd.OutOrStdout(), s, paper)
		},
	}
	out.flag(cmd)
	return cmd
}

// rows are lines of a name and a text.
type rows struct{ *tabwriter.Writer }

func (t rows) add(name, format string, args ...any) {
	fmt.Fprintf(t, "%s\t%s\n", name, plain(fmt.Sprintf(format, args...)))
}

func printStatement(w io.Writer, s receipt.Statement, p *paper) error {
	t := rows{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	var remarks receipt.Remarks
	switch s := s.(type) {
	case *receipt.Receipt:
		printTurn(t, &receipt.Turn{Input: s.Input, Result: s.Result})
		remarks = s.Remarks
	case *receipt.Build:
		t.add("command", "%q", s.Command)
		for n := range s.Steps {
			t.add("", "")
			t.add("turn", "%d of %d", n+1, len(s.Steps))
			printTurn(t, &s.Steps[n])
		}
		remarks = s.Remarks
	}
	t.add("", "")
	for _, s := range p.envelope.Signatures {
		t.add("signed by", "%s (not checked here)", s.KeyID)
	}
	t.add("remarks", "%s, %s, %s", remarks.EngineVersion, remarks.Platform, remarks.Started)
	return t.Flush()
}

func printTurn(t rows, r *receipt.Turn) {
	row := t.add
	limit := fuel(r.Input.Limits.Fuel)
	row("program", "%s, %s bytes", r.Input.Program.Digest, grouped(r.Input.Program.Size))
	row("machine", "version %d, guest %s %d", r.Input.MachineVersion, r.Input.Guest.Name, r.Input.Guest.Version)
	row("args", "%q", r.Input.Args)
	if len(r.Input.Env) > 0 {
		row("env", "%q", r.Input.Env)
	}
	if r.Input.Cwd != "" {
		row("cwd", "%s", r.Input.Cwd)
	}
	row("limits", "%s fuel, %s of memory", limit.String(), bytesOf(uint64(r.Input.Limits.MemoryPages)*quantity.PageBytes))
	row("clock", "%s from %d ns", r.Input.Clock, r.Input.TimeNS)
	if r.Input.Seed != "" {
		row("seed", "%s", r.Input.Seed)
	}
	for _, s := range r.Input.Secrets {
		row("secret", "%q, committed to by %s", s.Name, s.Commitment.Short())
	}
	if r.Input.ImageFile != nil {
		row("from", "%s, in %s, %s bytes", r.Input.ImageBefore, r.Input.ImageFile.Digest.Short(), grouped(r.Input.ImageFile.Size))
	}
	if r.Input.Call != nil {
		row("call", "%s", r.Input.Call)
	}
	row("stdin", "%s, %s bytes", r.Input.Stdin.Digest, grouped(r.Input.Stdin.Size))
	for _, m := range r.Input.Mounts {
		switch {
		case m.Content != nil:
			row("mount", "%s: %s %s %s, %s bytes", m.Guest, m.Kind, m.Mode, m.Content.Digest, grouped(m.Content.Size))
		case m.Kind == receipt.MountDir:
			row("mount", "%s: %s %s, %d paths looked at", m.Guest, m.Kind, m.Mode, len(m.Observed))
		default:
			row("mount", "%s: %s %s", m.Guest, m.Kind, m.Mode)
		}
	}
	row("", "")
	row("class", "%s, code %d", r.Result.Class, r.Result.Code)
	row("fuel", "%s", grouped(r.Result.Fuel))
	row("stdout", "%s, %s bytes", r.Result.Stdout.Digest, grouped(r.Result.Stdout.Size))
	row("stderr", "%s, %s bytes", r.Result.Stderr.Digest, grouped(r.Result.Stderr.Size))
	if len(r.Result.Returned) > 0 {
		row("returned", "%s", strings.Join(r.Result.Returned, " "))
	}
	if !r.Result.Root.IsZero() {
		row("root", "%s", r.Result.Root)
	}
	for _, write := range r.Result.Writes {
		if write.Content != nil {
			row("wrote", "%s: %s, %s bytes", write.Guest, write.Content.Digest, grouped(write.Content.Size))
		}
		for _, c := range write.Changes {
			row("wrote", "%s: %s, was %s", path.Join(write.Guest, c.Path), c.Kind, c.Was)
		}
	}
}

func receiptExport() *cobra.Command {
	var from []string
	var to string
	cmd := &cobra.Command{
		Use:   "export [flags] RECEIPT",
		Short: "Make a bundle: the receipt and the bytes it takes to verify it",
		Long: `Export writes a bundle: the receipt with the program and everything that it read.
The bytes are taken from what carrel run kept on this host and from files given
with --from.` + exits("0  written", "2  something is missing", "125  our own error"),
		Example: `  carrel receipt export -o run.bundle r.json
  carrel receipt export --from prog.wasm -o run.bundle r.json`,
		Args: exactly("RECEIPT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			paper, err := openPaper(args[0])
			if err != nil {
				return err
			}
			defer paper.Close()
			sources, err := paper.sources(from)
			if err != nil {
				return err
			}
			if to == "" && isTerminal(cmd.OutOrStdout()) {
				return usagef("a bundle is not for a terminal: -o FILE says where to write it")
			}
			return export(paper, sources, to, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "write the bundle to `FILE` (default standard output)")
	cmd.Flags().StringArrayVar(&from, "from", nil, "also look in this `FILE` for what the receipt names; may repeat")
	return cmd
}

// export writes a bundle to a file, which appears whole or not at all, or to w.
func export(p *paper, sources receipt.BlobSource, to string, w io.Writer) error {
	s, err := receipt.FromEnvelope(p.envelope)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		err := bundle.Write(w, p.envelope, receipt.Needs(s), sources)
		if errors.Is(err, receipt.ErrNoBlob) {
			return failf(verifyCannot, "%w; --from FILE says where it is", err)
		}
		return err
	}
	if to == "" {
		return write(w)
	}
	return publish(to, write)
}
