package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// A format is how a command writes what is ours to write.
type format string

const (
	textFormat format = "text"
	jsonFormat format = "json"
)

func (f *format) Set(s string) error {
	switch format(s) {
	case textFormat, jsonFormat:
		*f = format(s)
		return nil
	}
	return fmt.Errorf("%q is neither text nor json", s)
}

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "FORMAT" }

// flag adds -o to a command.
func (f *format) flag(cmd *cobra.Command) {
	*f = textFormat
	cmd.Flags().VarP(f, "output", "o", "text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// writeJSON writes a value for programs and people alike: indented, one
// newline at the end.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// plain is a text that others wrote, fit for a terminal and for one line: what
// does not print is escaped.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// plainLines is plain for a text of several lines.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for n := range lines {
		lines[n] = plain(strings.ReplaceAll(lines[n], "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// grouped is a number with its digits in groups of three.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// bytesOf is a number of bytes for people.
func bytesOf(n uint64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n), []string{"KiB", "MiB", "GiB", "TiB"}
	for i, u := range units {
		value /= 1 << 10
		if value < 1<<10 || i == len(units)-1 {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + u
		}
	}
	return ""
}
