package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"carrel/guest/posix"
	"carrel/machine/meter"
	"carrel/program/seal"
	"carrel/quantity"
	"carrel/turn"
)

func inspectCommand() *cobra.Command {
	var out format
	var functions int
	cmd := &cobra.Command{
		Use:   "inspect [flags] PROGRAM",
		Short: "Show what a program asks for, what it would be refused for, what it costs",
		Long: `Inspect reads a program without running it: its digest, imports, exports and
sections, whether it is imageable (can be stopped and kept between calls) or why
not, what carrel run would refuse, its size after metering, and the cost of its
functions: the fuel of all their instructions, each counted once.` + exits(
			"0  the program would run",
			"126  it would be refused",
			"127  there is no such file",
			"125  our own error"),
		Example: `  carrel inspect hello.wasm
  carrel inspect --functions 0 hello.wasm        all functions
  carrel inspect -o json hello.wasm | jq .imports`,
		Args: exactly("PROGRAM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			wasm, err := readProgram(args[0])
			if err != nil {
				return err
			}
			report := inspect(wasm)
			if out == jsonFormat {
				if err := writeJSON(cmd.OutOrStdout(), report); err != nil {
					return err
				}
			} else if err := report.print(cmd.OutOrStdout(), functions); err != nil {
				return err
			}
			if len(report.Refused) > 0 {
				return quit(exitRefused)
			}
			return nil
		},
	}
	out.flag(cmd)
	cmd.Flags().IntVar(&functions, "functions", 10, "how many functions to list, the most costly first; 0 lists all")
	return cmd
}

// An inspection is all that can be said of a program without running it.
type inspection struct {
	Program        string       `json:"program"` // digest
	Size           int          `json:"size"`    // bytes
	MachineVersion int          `json:"machineVersion"`
	Refused        []refusal    `json:"refused"`        // empty: it would run
	NotImageable   []reason     `json:"notImageable"`   // empty: imageable
	Kind           string       `json:"kind,omitempty"` // command, reactor or library
	MeteredSize    int          `json:"meteredSize,omitempty"`
	Memory         *memoryUse   `json:"memory,omitempty"`
	Imports        []importUse  `json:"imports"`
	Exports        []exportUse  `json:"exports"`
	Sections       []sectionUse `json:"sections"`
	Functions      []function   `json:"functions"`
}

// Kinds of programs, by how they are entered.
const (
	kindCommand = "command" // it has a _start
	kindReactor = "reactor" // it has an _initialize, and functions to call after it
	kindLibrary = "library" // it has functions to call
)

// enters reports whether a module can be entered by a function of that name.
func enters(module *meter.Module, name string) bool {
	e, ok := module.Export(name)
	return ok && e.Kind == meter.KindFunc && len(e.Type.Params)+len(e.Type.Results) == 0
}

type refusal struct {
	Offset *int   `json:"offset,omitempty"` // byte in the program, if there is one place
	Reason string `json:"reason"`
}

type reason struct {
	Offset int    `json:"offset"`
	Reason string `json:"reason"`
}

type memoryUse struct {
	MinPages uint32 `json:"minPages"` // of 64 KiB
	MaxPages uint32 `json:"maxPages"`
}

type importUse struct {
	Module  string `json:"module"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Offered bool   `json:"offered"`
}

type exportUse struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Type string `json:"type,omitempty"`
}

type sectionUse struct {
	Name   string `json:"name"`
	Offset int    `json:"offset"`
	Size   int    `json:"size"`
}

type function struct {
	Index     uint32 `json:"index"`
	Name      string `json:"name,omitempty"`
	Size      int    `json:"size"`
	Metered   int    `json:"metered"`
	Cost      uint64 `json:"cost,string"`
	Weight    uint32 `json:"weight"`
	Recursive bool   `json:"recursive"`
}

func inspect(wasm []byte) *inspection {
	r := &inspection{
		Program: seal.Sum(wasm).String(), Size: len(wasm), MachineVersion: turn.MachineVersion,
		Refused: []refusal{}, NotImageable: []reason{}, Imports: []importUse{}, Exports: []exportUse{},
		Sections: []sectionUse{}, Functions: []function{},
	}
	module, err := meter.Rewrite(wasm)
	if refused := (*meter.Refusal)(nil); errors.As(err, &refused) {
		r.Refused = append(r.Refused, refusal{&refused.Offset, refused.Reason})
		return r
	} else if err != nil {
		r.Refused = append(r.Refused, refusal{nil, err.Error()})
		return r
	}
	r.describe(module)
	return r
}

func (r *inspection) describe(module *meter.Module) {
	r.MeteredSize = len(module.Wasm)
	if m := module.Memory; m != nil {
		r.Memory = &memoryUse{m.Min, m.Max}
	}
	offered := posix.Imports()
	for _, i := range module.Imports {
		have, ok := offered.Find(i.Module, i.Name)
		ok = ok && have.Type.Equal(i.Type)
		r.Imports = append(r.Imports, importUse{i.Module, i.Name, i.Type.String(), ok})
		if !ok {
			r.Refused = append(r.Refused, refusal{nil, fmt.Sprintf("it imports %s.%s %v, which the posix guest does not offer", i.Module, i.Name, i.Type)})
		}
	}
	for _, e := range module.Exports {
		use := exportUse{Name: e.Name, Kind: e.Kind.String()}
		if e.Kind == meter.KindFunc {
			use.Type = e.Type.String()
		}
		r.Exports = append(r.Exports, use)
	}
	switch {
	case enters(module, posix.Start):
		r.Kind = kindCommand
	case enters(module, posix.Initialize):
		r.Kind = kindReactor
	case slices.ContainsFunc(module.Exports, func(e meter.Export) bool { return e.Kind == meter.KindFunc }):
		r.Kind = kindLibrary
	default:
		r.Refused = append(r.Refused, refusal{nil, "it exports no function: there is nothing to run"})
	}
	for _, why := range module.NotImageable {
		r.NotImageable = append(r.NotImageable, reason{why.Offset, why.Text})
	}
	for _, s := range module.Sections {
		r.Sections = append(r.Sections, sectionUse(s))
	}
	for _, f := range module.Functions {
		r.Functions = append(r.Functions, function{f.Index, f.Name, f.Size, f.Metered, f.Cost, f.Weight, f.Recursive})
	}
}

// print writes the report for people, with the n most costly functions.
func (r *inspection) print(w io.Writer, n int) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, plain(fmt.Sprintf(format, args...)))
	}
	row("program", "%s", r.Program)
	row("size", "%s", grouped(uint64(r.Size))+" bytes")
	if len(r.Refused) > 0 {
		for _, no := range r.Refused {
			where := ""
			if no.Offset != nil {
				where = fmt.Sprintf(" (byte %d)", *no.Offset)
			}
			row("refused", "%s%s", no.Reason, where)
		}
		if r.MeteredSize == 0 {
			return t.Flush()
		}
	} else {
		row("refused", "no: it would run")
	}
	before, after := r.codeSize()
	row("metered", "%s bytes, machine version %d; code from %s to %s bytes (%+.0f %%)", grouped(uint64(r.MeteredSize)), r.MachineVersion,
		grouped(before), grouped(after), 100*(float64(after)/float64(max(1, before))-1))
	if r.Memory != nil {
		row("memory", "%s to start, at most %s", bytesOf(uint64(r.Memory.MinPages)*quantity.PageBytes), bytesOf(uint64(r.Memory.MaxPages)*quantity.PageBytes))
	}
	switch r.Kind {
	case kindCommand:
		row("kind", "command: carrel run starts it")
	case kindReactor, kindLibrary:
		row("kind", "%s: carrel run --call calls its functions", r.Kind)
	}
	switch len(r.NotImageable) {
	case 0:
		row("class", "imageable")
	case 1:
		row("class", "runs, not imageable: %s (byte %d)", r.NotImageable[0].Reason, r.NotImageable[0].Offset)
	default:
		row("class", "runs, not imageable: %s (byte %d), and %d more reasons", r.NotImageable[0].Reason, r.NotImageable[0].Offset, len(r.NotImageable)-1)
	}
	t.Flush()
	r.printImports(w)
	r.printFunctions(w, n)
	return nil
}

// codeSize is the size of all functions, before and after metering.
func (r *inspection) codeSize() (before, after uint64) {
	for _, f := range r.Functions {
		before += uint64(f.Size)
		after += uint64(f.Metered)
	}
	return before, after
}

func (r *inspection) printImports(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "\nimports (%d)\n", len(r.Imports))
	for _, i := range r.Imports {
		note := ""
		if !i.Offered {
			note = "\tnot offered"
		}
		fmt.Fprintf(t, "  %s.%s\t%s%s\n", plain(i.Module), plain(i.Name), i.Type, note)
	}
	fmt.Fprintf(t, "\nexports (%d)\n", len(r.Exports))
	for _, e := range r.Exports {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", plain(e.Name), e.Kind, e.Type)
	}
	fmt.Fprintf(t, "\nsections (%d)\toffset\tbytes\n", len(r.Sections))
	for _, s := range r.Sections {
		fmt.Fprintf(t, "  %s\t%d\t%s\n", plain(s.Name), s.Offset, grouped(uint64(s.Size)))
	}
	t.Flush()
}

func (r *inspection) printFunctions(w io.Writer, n int) {
	list := slices.Clone(r.Functions)
	slices.SortStableFunc(list, func(a, b function) int { return cmp.Compare(b.Cost, a.Cost) })
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\nfunctions (%d of %d)\n", len(list), len(r.Functions))
	fmt.Fprintf(t, "cost\tbytes\tmetered\tweight\tindex\t\n")
	for _, f := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t %s\n", grouped(f.Cost), grouped(uint64(f.Size)), grouped(uint64(f.Metered)), f.Weight, f.Index, plain(f.Name))
	}
	t.Flush()
}
