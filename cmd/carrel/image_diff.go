package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"carrel/machine/page"
)

// Exit codes of carrel image diff, which are those of diff(1), and of carrel
// image verify.
const (
	imagesDiffer  = 1
	imagesDamaged = 1
)

func imageDiff() *cobra.Command {
	var out format
	var pages bool
	cmd := &cobra.Command{
		Use:   "diff [flags] IMAGE IMAGE",
		Short: "Compare two images",
		Long: `Diff says in what two images differ: pages of 4 KiB (a page that one of them does
not have counts as zeros), globals, host region. Images of which nothing differs
have the same root.` + exits("0  they are the same", "1  they differ", "127  there is no such image", "125  our own error, or an image is damaged"),
		Example:           "  carrel image diff a.image b.image\n  carrel image diff --pages 3f9a11 b.image\n  carrel image diff -o json a.image b.image | jq .pages",
		Args:              exactly("IMAGE", "IMAGE"),
		ValidArgsFunction: completeImages,
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := loadImage(args[0])
			if err != nil {
				return err
			}
			after, err := loadImage(args[1])
			if err != nil {
				return err
			}
			d := compare(before, after)
			if out == jsonFormat {
				err = writeJSON(cmd.OutOrStdout(), d)
			} else {
				err = d.print(cmd.OutOrStdout(), pages)
			}
			if err == nil && !d.Same {
				err = quit(imagesDiffer)
			}
			return err
		},
	}
	out.flag(cmd)
	cmd.Flags().BoolVar(&pages, "pages", false, "list all pages that differ")
	return cmd
}

// A comparison is in what two images differ.
type comparison struct {
	Same        bool           `json:"same"`
	Before      headed         `json:"before"`
	After       headed         `json:"after"`
	PagesDiffer int            `json:"pagesDiffer"`
	Pages       []pageRange    `json:"pages"`
	Globals     []globalChange `json:"globals"`
	HostDiffers bool           `json:"hostDiffers"`
}

// A pageRange is pages that differ, one after the other.
type pageRange struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

func (r pageRange) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// A globalChange is a global that differs; empty where an image does not have it.
type globalChange struct {
	Index  int    `json:"index"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func compare(before, after *named) *comparison {
	a, b := memoryOf(before), memoryOf(after)
	d := &comparison{
		Same:   before.Root() == after.Root(),
		Before: headOf(before.Root(), before.label, a.Bytes()), After: headOf(after.Root(), after.label, b.Bytes()),
		Pages: []pageRange{}, Globals: []globalChange{}, HostDiffers: !bytes.Equal(before.Host, after.Host),
	}
	page.Diff(a, b, func(n int, _, _ []byte) bool {
		d.PagesDiffer++
		if last := len(d.Pages) - 1; last >= 0 && d.Pages[last].Last == n-1 {
			d.Pages[last].Last = n
		} else {
			d.Pages = append(d.Pages, pageRange{n, n})
		}
		return true
	})
	global := func(list []uint64, n int) string {
		if n >= len(list) {
			return ""
		}
		return fmt.Sprintf("%#x", list[n])
	}
	for n := range max(len(before.Globals), len(after.Globals)) {
		if was, is := global(before.Globals, n), global(after.Globals, n); was != is {
			d.Globals = append(d.Globals, globalChange{n, was, is})
		}
	}
	return d
}

// rangesShown is how many ranges and globals are printed if nobody asks for all.
const rangesShown = 8

func (d *comparison) print(w io.Writer, all bool) error {
	var b strings.Builder
	both := func(name, format string, before, after any) {
		fmt.Fprintf(&b, "%-8s %s\n", name, plain(fmt.Sprintf(format, before, after)))
	}
	if d.Before.Program != d.After.Program {
		both("program", "%s, %s", d.Before.Program, d.After.Program)
	}
	if d.Before.Guest != d.After.Guest || d.Before.GuestVersion != d.After.GuestVersion {
		both("guest", "%s, %s", fmt.Sprint(d.Before.Guest, " ", d.Before.GuestVersion), fmt.Sprint(d.After.Guest, " ", d.After.GuestVersion))
	}
	if d.Same {
		fmt.Fprintf(&b, "same     %s\n", d.Before.Root)
		_, err := io.WriteString(w, b.String())
		return err
	}
	both("root", "%s, %s", d.Before.Root.Short(), d.After.Root.Short())
	if d.Before.MemoryBytes != d.After.MemoryBytes {
		both("memory", "%s, %s", bytesOf(d.Before.MemoryBytes), bytesOf(d.After.MemoryBytes))
	}
	pages := max(d.Before.MemoryBytes, d.After.MemoryBytes) / page.Size
	fmt.Fprintf(&b, "pages    %s of %s differ", grouped(uint64(d.PagesDiffer)), grouped(pages))
	for n, r := range d.Pages {
		if all {
			fmt.Fprintf(&b, "\n         %v", r)
			continue
		}
		if n == rangesShown {
			b.WriteString(", … (--pages lists all)")
			break
		}
		fmt.Fprintf(&b, "%s%v", separator(n), r)
	}
	fmt.Fprintf(&b, "\nglobals  %d differ", len(d.Globals))
	for n, g := range d.Globals {
		if n == rangesShown {
			b.WriteString(", … (-o json has all of them)")
			break
		}
		fmt.Fprintf(&b, "%s%d (%s, %s)", separator(n), g.Index, orNone(g.Before), orNone(g.After))
	}
	host := "the same"
	if d.HostDiffers {
		host = "differs"
	}
	fmt.Fprintf(&b, "\nhost     %s\n", host)
	_, err := io.WriteString(w, b.String())
	return err
}

func separator(n int) string {
	if n == 0 {
		return ": "
	}
	return ", "
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
