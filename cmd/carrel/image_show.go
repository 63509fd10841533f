package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/fxamacker/cbor/v2"
	"github.com/spf13/cobra"

	"carrel/machine/page"
	"carrel/program/seal"
)

func imageShow() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "show [flags] IMAGE",
		Short: "Show what is in an image",
		Long: `Show reads an image, checks all of it against its root, and prints what it says of
itself, its globals, its host region (what the personality remembers between
calls) and how it is kept.` + exits("0  shown", "127  there is no such image", "125  our own error, or the image is damaged"),
		Example:           "  carrel image show a.image\n  carrel image show 3f9a11\n  carrel image show -o json a.image | jq .globals",
		Args:              exactly("IMAGE"),
		ValidArgsFunction: completeImages,
		RunE: func(cmd *cobra.Command, args []string) error {
			img, err := loadImage(args[0])
			if err != nil {
				return err
			}
			report := describe(img)
			if out == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			return report.print(cmd.OutOrStdout(), img)
		},
	}
	out.flag(cmd)
	return cmd
}

// A description is all that is said of an image.
type description struct {
	headed
	Pages          int         `json:"pages"` // of 4 KiB
	PagesNotZero   int         `json:"pagesNotZero"`
	Tree           seal.Digest `json:"tree"`    // hash over the pages
	Globals        []string    `json:"globals"` // hexadecimal
	Host           string      `json:"host"`    // hexadecimal
	HostDiagnostic string      `json:"hostDiagnostic,omitempty"`
	Kept           *keptImage  `json:"kept,omitempty"` // nil for a file
}

func describe(img *named) *description {
	memory := memoryOf(img)
	d := &description{
		headed: headOf(img.Root(), img.label, memory.Bytes()),
		Pages:  memory.Pages(), Tree: memory.Hash(), Globals: []string{}, Host: hex.EncodeToString(img.Host),
	}
	memory.Each(func(int, []byte) bool { d.PagesNotZero++; return true })
	for _, g := range img.Globals {
		d.Globals = append(d.Globals, fmt.Sprintf("%#x", g))
	}
	if text, err := cbor.Diagnose(img.Host); err == nil { // what is no CBOR has no such form
		d.HostDiagnostic = text
	}
	if img.kept != nil {
		d.Kept = keptOf(img.kept)
	}
	return d
}

func memoryOf(img *named) *page.Snapshot {
	if img.Memory == nil {
		return page.Empty()
	}
	return img.Memory
}

// globalsShown is how many globals are printed: there may be half a million.
// -o json has all of them.
const globalsShown = 32

func (d *description) print(w io.Writer, img *named) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, plain(fmt.Sprintf(format, args...)))
	}
	row("root", "%s", d.Root)
	row("program", "%s", d.Program)
	row("machine", "version %d, guest %s %d", d.MachineVersion, d.Guest, d.GuestVersion)
	row("memory", "%s: %s pages, %s of them not zero", bytesOf(d.MemoryBytes), grouped(uint64(d.Pages)), grouped(uint64(d.PagesNotZero)))
	row("tree", "%s", d.Tree)
	row("globals", "%d", len(d.Globals))
	for n, g := range d.Globals {
		if n == globalsShown {
			row("", "… (-o json has all of them)")
			break
		}
		row("", "%d: %s", n, g)
	}
	row("host", "%d bytes", len(img.Host))
	if len(img.Host) > 0 {
		row("", "%s", brief(d.Host))
	}
	if d.HostDiagnostic != "" {
		row("", "%s", brief(d.HostDiagnostic))
	}
	switch kept := d.Kept; {
	case kept == nil:
		row("file", "%s bytes", grouped(uint64(img.bytes)))
	case kept.Depth > 0:
		row("kept", "as a delta to %s, %d away from a whole image", kept.Base, kept.Depth)
	default:
		row("kept", "whole")
	}
	if kept := d.Kept; kept != nil {
		size := grouped(uint64(kept.Bytes)) + " bytes"
		if kept.MappedBytes > 0 {
			size += ", and " + bytesOf(uint64(kept.MappedBytes)) + " ready to be mapped"
		}
		row("size", "%s", size)
		row("last used", "%s", timeOf(kept.Used))
	}
	return t.Flush()
}
