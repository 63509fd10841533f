package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/machine"
	"carrel/machine/engines"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/receipt/bundle"
	"carrel/runner"
)

func verifyCommand() *cobra.Command {
	var (
		engine  engineName
		asked   []string
		from    []string
		secrets []string
		timeout time.Duration
		out     format
	)
	cmd := &cobra.Command{
		Use:   "verify [flags] RECEIPT|BUNDLE",
		Short: "Check a receipt by running the program again",
		Long: `Verify runs what a receipt tells of again, from the same inputs, and compares
everything that came out: class, exit code, fuel, digests of outputs and files.
It checks the signature against the keys that you trust: your own and those of
the trust file (carrel keys trust), or those of --signer alone.

The bytes that the receipt names are taken from the bundle, from what carrel run
kept on this host, and from files given with --from. They count only if their
digest is right.` + exits(
			"0  the same, and signed by somebody you trust",
			"1  different: which field, what was expected, what came out",
			"2  cannot say: what is missing, or why",
			"3  the same, but signed by nobody you trust",
			"125  bad usage"),
		Example: `  carrel verify r.json
  carrel verify --engine wazero r.json
  carrel verify --signer ed25519-public:… run.bundle
  carrel verify --from prog.wasm --from words.txt r.json`,
		Args: exactly("RECEIPT|BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			trusted, err := signers(asked)
			if err != nil {
				return failf(verifyCannot, "%w", err)
			}
			paper, err := openPaper(args[0])
			if err != nil {
				return failf(verifyCannot, "cannot verify: %w", err)
			}
			defer paper.Close()
			sources, err := paper.sources(from)
			if err != nil {
				return failf(verifyCannot, "cannot verify: %w", err)
			}
			opened, err := engine.open()
			if err != nil {
				return failf(verifyCannot, "cannot verify: %w", err)
			}
			defer opened.Close()
			ctx, cancel := cmd.Context(), context.CancelFunc(func() {})
			if timeout > 0 {
				ctx, cancel = context.WithTimeoutCause(ctx, timeout, errTimeout)
			}
			defer cancel()
			opens, err := readSecrets(secrets)
			if err != nil {
				return failf(verifyCannot, "cannot verify: %w", err)
			}
			if len(opens) > 0 {
				hush(cmd)
			}
			replay := runner.Replayer{Blobs: sources, Secrets: opens, Load: func(ctx context.Context, wasm []byte) (*machine.Program, error) {
				return loadProgram(ctx, opened, wasm, cmd)
			}}
			report := receipt.Verify(ctx, paper.envelope, trusted, replay.Run)
			if err := printReport(cmd.OutOrStdout(), report, opened, out); err != nil {
				return err
			}
			return quit(int(report.Verdict))
		},
	}
	engine.flag(cmd)
	cmd.Flags().StringArrayVar(&asked, "signer", nil, "trust only this `KEY|FILE`: a public key, or a trust file; may repeat")
	cmd.Flags().StringArrayVar(&from, "from", nil, "also look in this `FILE` for what the receipt names; may repeat")
	cmd.Flags().StringArrayVar(&secrets, "secret", nil, "a secret that a script was handed is in `NAME=FILE`; may repeat")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after `DUR` of wall-clock time, as in 1m30s (default never)")
	out.flag(cmd)
	return cmd
}

// A paper is a receipt or bundle on disk.
type paper struct {
	file     *os.File
	envelope *seal.Envelope
	bundle   *bundle.Bundle // nil if it is a bare receipt
}

func (p *paper) Close() error { return p.file.Close() }

// openPaper reads a receipt, or the receipt of a bundle.
func openPaper(name string) (*paper, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	p := &paper{file: file}
	if err := p.read(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p *paper) read() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, 16)
	if n, err := p.file.ReadAt(head, 0); err == nil || errors.Is(err, io.EOF) {
		head = head[:n]
	}
	if bundle.Sniff(head) {
		if p.bundle, err = bundle.Open(p.file, info.Size()); err != nil {
			return err
		}
		p.envelope = p.bundle.Envelope
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(p.file, seal.EnvelopeBytesMax+1))
	if err != nil {
		return err
	}
	p.envelope, err = seal.DecodeEnvelope(text)
	return err
}

// sources are where the bytes may be that the receipt names.
func (p *paper) sources(from []string) (receipt.Sources, error) {
	var list receipt.Sources
	if p.bundle != nil {
		list = append(list, p.bundle)
	}
	given := files{}
	for _, name := range from {
		if err := given.add(name); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	}
	list = append(list, given)
	if h, err := home.Find(); err == nil {
		list = append(list, blobsOf(h))
	}
	return list, nil
}

// files are blobs in files of any name.
type files map[seal.Digest]string

func (f files) add(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	hasher := seal.NewHasher()
	if _, err := io.Copy(hasher, file); err != nil {
		return err
	}
	f[hasher.Digest()] = name
	return nil
}

// Blob is a receipt.BlobSource.
func (f files) Blob(digest seal.Digest) (io.ReadCloser, error) {
	name, ok := f[digest]
	if !ok {
		return nil, fmt.Errorf("%s: %w", digest, receipt.ErrNoBlob)
	}
	return os.Open(name)
}

// verdict is a report as carrel verify prints it.
type verdict struct {
	Verdict     string               `json:"verdict"`
	Engine      string               `json:"engine"`
	Version     string               `json:"engineVersion"`
	Signers     []seal.KeyID         `json:"signers"` // trusted, and right
	Unknown     []string             `json:"unknownSigners,omitempty"`
	Broken      []string             `json:"brokenSignatures,omitempty"`
	Differences []receipt.Difference `json:"differences,omitempty"`
	Missing     []string             `json:"missing,omitempty"`
	Reason      string               `json:"reason,omitempty"`
}

func printReport(w io.Writer, r receipt.Report, engine machine.Engine, out format) error {
	if out == jsonFormat {
		return writeJSON(w, verdict{
			Verdict: r.Verdict.String(), Engine: engine.Name(), Version: engine.Version(),
			Signers: append([]seal.KeyID{}, r.Signers...), Unknown: r.Unknown, Broken: r.Broken,
			Differences: r.Differences, Missing: r.Missing, Reason: r.Reason,
		})
	}
	var b strings.Builder
	switch r.Verdict {
	case receipt.Same:
		fmt.Fprintf(&b, "same: %s gave the same result; signed by %s\n", engines.Title(engine), join(r.Signers))
	case receipt.Untrusted:
		fmt.Fprintf(&b, "same, but signed by nobody you trust: %s gave the same result\n", engines.Title(engine))
		for _, id := range r.Unknown {
			fmt.Fprintf(&b, "  signed by %s: if you trust them, carrel keys trust KEY NAME\n", plain(id))
		}
	case receipt.Different:
		fmt.Fprintf(&b, "different\n")
		for _, d := range r.Differences {
			fmt.Fprintf(&b, "  %s\n    expected %s\n    got      %s\n", brief(d.Field), brief(d.Expected), brief(d.Got))
		}
	case receipt.Cannot:
		if len(r.Missing) == 0 {
			fmt.Fprintf(&b, "cannot say: %s\n", plain(r.Reason))
			break
		}
		fmt.Fprintf(&b, "cannot say: what it needs is not here\n")
		for _, what := range r.Missing {
			fmt.Fprintf(&b, "  missing %s\n", plain(what))
		}
		fmt.Fprintf(&b, "--from FILE says where to find it; a bundle (carrel receipt export) carries it\n")
	}
	if r.Verdict == receipt.Same {
		for _, id := range r.Broken {
			fmt.Fprintf(&b, "  another signature, which claims to be by %s, is broken\n", plain(id))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// briefCharsMax is how much of a value a report shows: a directory may have a
// hundred thousand names. -o json has all of it.
const briefCharsMax = 300

// brief is a value of a difference, for people.
func brief(value string) string {
	if value == "" {
		return "nothing"
	}
	if text := []rune(plain(value)); len(text) > briefCharsMax {
		return string(text[:briefCharsMax]) + "… (-o json has all of it)"
	}
	return plain(value)
}

func join(ids []seal.KeyID) string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return strings.Join(texts, ", ")
}
