package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// A page is what was measured, as Markdown.
type page struct {
	text strings.Builder
	out  io.Writer
}

// newPage begins a page: what writes it, and the compilers that it is about.
func newPage(stdout io.Writer, title, target string, compilers ...string) *page {
	p := &page{out: stdout}
	p.printf("# %s\n\n", title)
	p.printf("Written by `make %s` on %s at revision %s. %s/%s, %s, %d processors; %s",
		target, time.Now().UTC().Format("2006-01-02"), revision(), runtime.GOOS, runtime.GOARCH, processor(), runtime.NumCPU(), runtime.Version())
	for _, compiler := range compilers {
		p.printf("; %s", firstLine(compiler, "--version"))
	}
	p.printf(".\n\nProcessor time, medians; all contestants of a workload run in turns. A cell is a ratio: smaller is better.\n")
	return p
}

func (p *page) printf(format string, args ...any) {
	fmt.Fprintf(&p.text, format, args...)
	fmt.Fprintf(p.out, format, args...)
}

// revision is what version control says that this program was built from.
func revision() string {
	name, dirty := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				name = s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = " with changes"
			}
		}
	}
	return name + dirty
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor unknown"
	}
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, "\t :\n")
		}
	}
	return "processor unknown"
}

func firstLine(command string, args ...string) string {
	out, err := exec.Command(command, args...).Output()
	if err != nil {
		return command + " unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// kernels prints both tables of the C kernels: against native code, and what
// the contract adds to each engine.
func (p *page) kernels(subjects []subject, rows []row, fuels map[string]uint64) {
	p.printf("## C kernels, over native gcc -O2\n\n| | native ms | million fuel |")
	for _, s := range subjects {
		p.printf(" %s |", s.name)
	}
	p.printf("\n|---|---|---|%s\n", strings.Repeat("---|", len(subjects)))
	for _, r := range rows {
		p.printf("| %s | %.0f | %.0f |", r.name, r.times[0].Seconds()*1e3, float64(fuels[r.name])/1e6)
		for i := range subjects {
			p.printf(" %.2f |", float64(r.times[i+1])/float64(r.times[0]))
		}
		p.printf("\n")
	}
	p.printf("| **geomean** | | |")
	for i := range subjects {
		p.printf(" **%.2f** |", geomean(ratios(rows, i+1, 0)))
	}
	p.printf("\n| worst | | |")
	for i := range subjects {
		p.printf(" %.2f |", slices.Max(ratios(rows, i+1, 0)))
	}
	p.printf("\n\n")
	p.overhead(subjects, rows)
}

// overhead prints what each counted subject adds to its bare engine.
func (p *page) overhead(subjects []subject, rows []row) {
	type pair struct{ of, over int }
	var pairs []pair
	for of, s := range subjects {
		for over, bare := range subjects {
			if s.name == "carrel on "+bare.name || s.name == bare.name+", its own fuel" {
				pairs = append(pairs, pair{of + 1, over + 1})
			}
		}
	}
	p.printf("## The same, over the bare engine\n\n| |")
	for _, x := range pairs {
		p.printf(" %s |", subjects[x.of-1].name)
	}
	p.printf("\n|---|%s\n", strings.Repeat("---|", len(pairs)))
	for _, r := range rows {
		p.printf("| %s |", r.name)
		for _, x := range pairs {
			p.printf(" %+.1f %% |", percent(float64(r.times[x.of])/float64(r.times[x.over])))
		}
		p.printf("\n")
	}
	p.printf("| **geomean** |")
	for _, x := range pairs {
		p.printf(" **%+.1f %%** |", percent(geomean(ratios(rows, x.of, x.over))))
	}
	p.printf("\n| worst |")
	for _, x := range pairs {
		p.printf(" %+.1f %% |", percent(slices.Max(ratios(rows, x.of, x.over))))
	}
	p.printf("\n\n")
}

func percent(ratio float64) float64 { return (ratio - 1) * 100 }

// quickjs prints the interpreter-shaped guest.
func (p *page) quickjs(subjects []subject, r row) {
	p.printf("## QuickJS (npm quickjs-wasi), a fixed script\n\n| | ms | over the bare engine |\n|---|---|---|\n")
	for i, s := range subjects {
		p.printf("| %s | %.0f |", s.name, r.times[i].Seconds()*1e3)
		for j, bare := range subjects {
			if s.name == "carrel on "+bare.name || s.name == bare.name+", its own fuel" {
				p.printf(" %+.1f %%", percent(float64(r.times[i])/float64(r.times[j])))
			}
		}
		p.printf(" |\n")
	}
	p.printf("\n")
}

// figures prints single values beside their limits.
func (p *page) figures(title string, figures []figure) {
	p.printf("## %s\n\n| | median | at most |\n|---|---|---|\n", title)
	for _, f := range figures {
		p.printf("| %s | %s | %s |\n", f.what, f.value, f.limit)
	}
	p.printf("\n")
}

// images prints what images cost, beside what they may.
func (p *page) images(rows []imageRow, lives []imageFigure) {
	p.printf("## Images\n\n")
	p.printf("Wall-clock time, medians of %d. *first*: the first image of an instance that filled its memory, with its\n", imageTurns)
	p.printf("root. *new*: an instance of the image, a call that writes to one page, its end; at most 100 µs on wazero and\n")
	p.printf("200 µs on wasmtime, of 64 MiB. *by copy*: the same by copying all of memory, which is what the engines' own\n")
	p.printf("interfaces have.\n\n")
	p.printf("| engine | MiB | first | new | by copy |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		p.printf("| %s | %d | %v | %v | %v |\n", r.engine, r.mib, rounded(r.first), rounded(r.start), rounded(r.copied))
	}
	p.printf("\nA turn that changes so many pages, far from one another. *turn*: the call, with the faults of first writes.\n")
	p.printf("*commit*: finding, comparing, keeping and hashing what changed, and the root; *delta*: making it from the image\n")
	p.printf("before; for 16 pages at most 200 µs together. *rollback* of 16 pages: at most 60 µs.\n\n")
	p.printf("| engine | MiB | pages | turn | commit | delta | its bytes | rollback |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		for _, t := range r.turns {
			p.printf("| %s | %d | %d | %v | %v | %v | %d | %v |\n", r.engine, r.mib, t.pages,
				rounded(t.run), rounded(t.commit), rounded(t.delta), t.size, rounded(t.rollback))
		}
	}
	p.printf("\n%d instances of one image of 64 MiB, each of which changed 16 pages. At most 64 KiB each, beside these pages.\n\n", imagesLive)
	p.printf("| engine | KiB each |\n|---|---|\n")
	for _, l := range lives {
		p.printf("| %s | %.1f |\n", l.engine, float64(l.bytes)/1024)
	}
	p.printf("\n")
}

// compilers prints how the compilers of the large file compare.
func (p *page) compilers(turns int, contestants []contestant, r row) {
	p.printf("`carrel cc` is measured with the compiler loaded, in one process: all that a command does but reading and\n")
	p.printf("compiling 72 MiB of WebAssembly. That is asking clang what it would run, and the compilation.\n\n")
	p.printf("## %d lines of C at -O2, medians of %d\n\nAt most 3 times native clang. The objects of all engines are the same.\n\n", sourceLines, turns)
	p.printf("| | seconds | over native clang | over native clang, for WebAssembly |\n|---|---|---|---|\n")
	for i, c := range contestants {
		p.printf("| %s | %.2f | %.2f | %.2f |\n", c.name, r.times[i].Seconds(),
			float64(r.times[i])/float64(r.times[0]), float64(r.times[i])/float64(r.times[1]))
	}
	p.printf("\n")
}

func rounded(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(100 * time.Nanosecond)
	case d < time.Second:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Millisecond)
}
