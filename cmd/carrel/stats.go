package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"carrel/guest/posix"
	"carrel/machine/engines"
	"carrel/turn"
)

// statistics say how a run ended and what it used.
type statistics struct {
	Program   string        `json:"program"`
	Class     string        `json:"class"`
	Code      uint32        `json:"code"` // of the guest, with class exit
	ExitCode  int           `json:"exitCode"`
	Fuel      uint64        `json:"fuel,string"`
	FuelLimit uint64        `json:"fuelLimit,string"`
	Stdin     passed        `json:"stdin"`
	Stdout    passed        `json:"stdout"`
	Stderr    passed        `json:"stderr"`
	Engine    string        `json:"engine"`
	Version   string        `json:"engineVersion"`
	Wall      time.Duration `json:"wallNs"`
	Returned  []string      `json:"returned,omitempty"` // by the function of --call, with types
	Image     string        `json:"image,omitempty"`    // the root of what --image-out wrote
	Receipt   string        `json:"receipt,omitempty"`
	Signer    string        `json:"signer,omitempty"`
	Text      string        `json:"text,omitempty"`  // for people
	Trace     []framed      `json:"trace,omitempty"` // for people, too: the innermost call first
}

// passed is what went through a stream.
type passed struct {
	Bytes  uint64 `json:"bytes,string"`
	Digest string `json:"digest,omitempty"`
}

// printStats prints statistics to standard error. err is how the run ends.
func (s *sitting) printStats(err error) error {
	code, _ := exitCode(err)
	streams := s.turn.Streams()
	stream := func(p posix.Stream) passed { return passed{p.Bytes, p.Digest} }
	stats := statistics{
		Program: s.name, Class: s.turn.Outcome.Class.String(), Code: s.turn.Outcome.Code, ExitCode: code,
		Fuel: s.turn.Outcome.Fuel, FuelLimit: s.spec.Limits.Fuel,
		Stdin: stream(streams.Stdin), Stdout: stream(streams.Stdout), Stderr: stream(streams.Stderr),
		Engine: s.engine.Name(), Version: s.engine.Version(), Wall: s.wall,
		Signer: s.signed, Text: s.turn.Outcome.Text, Trace: framesOf(s.trace),
	}
	stats.Returned = s.turn.Returned
	if s.turn.Image != nil {
		stats.Image = s.turn.Image.RootString()
	}
	if s.signed != "" {
		stats.Receipt = s.flags.receipt
	}
	stderr := s.cmd.ErrOrStderr()
	if s.flags.output == jsonFormat {
		return writeJSON(stderr, stats)
	}
	t := tabwriter.NewWriter(stderr, 0, 8, 2, ' ', 0)
	class := stats.Class
	if s.turn.Outcome.Class == turn.Exit {
		class = fmt.Sprintf("exit %d", stats.Code)
	}
	fmt.Fprintf(t, "class\t%s\n", class)
	if fuel := fuel(stats.FuelLimit); s.turn.Outcome.Class.Result() {
		fmt.Fprintf(t, "fuel\t%s of %s\n", grouped(stats.Fuel), fuel.String())
	}
	for _, row := range []struct {
		name string
		passed
	}{{"stdin", stats.Stdin}, {"stdout", stats.Stdout}, {"stderr", stats.Stderr}} {
		if row.Bytes > 0 {
			fmt.Fprintf(t, "%s\t%s bytes\t%s\n", row.name, grouped(row.Bytes), row.Digest)
		}
	}
	if len(stats.Returned) > 0 {
		fmt.Fprintf(t, "returned\t%s\n", strings.Join(stats.Returned, " "))
	}
	if stats.Image != "" {
		fmt.Fprintf(t, "image\t%s\t%s\n", s.flags.imageOut, stats.Image)
	}
	fmt.Fprintf(t, "engine\t%s\n", engines.Title(s.engine))
	fmt.Fprintf(t, "time\t%v\n", stats.Wall.Round(10*time.Microsecond))
	if stats.Receipt != "" {
		fmt.Fprintf(t, "receipt\t%s\tsigned by %s\n", stats.Receipt, stats.Signer)
	}
	return t.Flush()
}
