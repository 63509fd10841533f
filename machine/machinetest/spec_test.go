package machinetest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

var update = flag.Bool("update", false, "rewrite testdata/differences.txt")

// suites are the specification's tests as wazero keeps them: those of version
// 1.0, of 2.0, and of the extended-const proposal.
var suites = []string{"v1", "v2", "extended-const"}

// TestSpec runs the specification's tests on every engine. What this machine
// does otherwise, on purpose, is counted by reason in testdata/differences.txt;
// anything else is a failure. All engines must use the same fuel.
func TestSpec(t *testing.T) {
	dir := specDir(t)
	var report *report
	for _, engine := range engines(t) {
		t.Run(engine.Name(), func(t *testing.T) {
			r := newReport(report)
			for _, suite := range suites {
				files, err := filepath.Glob(filepath.Join(dir, suite, "testdata", "*.json"))
				if err != nil || len(files) == 0 {
					t.Fatalf("no tests of %s in %s: %v", suite, dir, err)
				}
				proposals, _ := filepath.Glob(filepath.Join(dir, suite, "testdata", "*", "*.json"))
				for _, file := range append(files, proposals...) {
					runSpec(t, engine, r, suite, file)
				}
			}
			t.Logf("%d assertions as specified, %d otherwise", r.asSpecified, r.total())
			if report == nil {
				report = r
			} else if got, want := r.String(), report.String(); got != want {
				t.Errorf("differences are not those of the first engine:\n%s", got)
			}
		})
	}
	if t.Failed() {
		return
	}
	golden := filepath.Join("testdata", "differences.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(report.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.String(); got != string(want) {
		t.Errorf("differences from the specification changed; run with -update if that is right:\n%s", got)
	}
}

func specDir(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("find the module that holds the specification's tests: %v", err)
	}
	return filepath.Join(string(bytes.TrimSpace(out)), "internal", "integration_test", "spectest")
}

// A report counts what was as specified and what was not, and keeps the fuel of
// every call.
type report struct {
	asSpecified int
	otherwise   map[string]int // by reason
	fuel        map[string]uint64
	first       *report // of the first engine; nil in it
}

func newReport(first *report) *report {
	return &report{otherwise: map[string]int{}, fuel: map[string]uint64{}, first: first}
}

func (r *report) total() (n int) {
	for _, count := range r.otherwise {
		n += count
	}
	return n
}

func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The specification's tests (1.0, 2.0, extended-const) on this machine: commands by\n")
	fmt.Fprintf(&b, "# how they came out. TestSpec keeps this file true.\n")
	fmt.Fprintf(&b, "%6d as specified\n%6d otherwise:\n", r.asSpecified, r.total())
	reasons := slices.SortedFunc(maps.Keys(r.otherwise), func(a, b string) int {
		return cmp.Or(r.otherwise[b]-r.otherwise[a], strings.Compare(a, b))
	})
	for _, reason := range reasons {
		fmt.Fprintf(&b, "%6d   %s\n", r.otherwise[reason], reason)
	}
	return b.String()
}

// A command is one line of a test, as wast2json writes it.
type command struct {
	Type       string
	Line       int
	Name       string
	Filename   string
	ModuleType string `json:"module_type"`
	Text       string
	As         string
	Action     action
	Expected   []value
}

type action struct {
	Type   string
	Module string
	Field  string
	Args   []value
}

type value struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    any
}

// A spec is one file of tests under way.
type spec struct {
	t       *testing.T
	engine  machine.Engine
	report  *report
	path    string // suite and file, for messages
	dir     string
	modules map[string]*instance
	last    *instance
	imports machine.Imports // what modules may import: the host's, and exports of others

	linked []*instance // those that import from others, or may be imported from
}

func runSpec(t *testing.T, engine machine.Engine, r *report, suite, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var script struct{ Commands []command }
	if err := json.Unmarshal(text, &script); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	s := &spec{t: t, engine: engine, report: r, path: suite + "/" + filepath.Base(file), dir: filepath.Dir(file), modules: map[string]*instance{}, imports: maps.Clone(spectest)}
	var all []*instance
	for _, c := range script.Commands {
		before := s.last
		s.run(c)
		if s.last != nil && s.last != before {
			all = append(all, s.last)
		}
	}
	for _, i := range all {
		i.close()
	}
}

func (s *spec) run(c command) {
	switch c.Type {
	case "module":
		s.last = s.load(c)
		s.modules[c.Name] = s.last
	case "register":
		s.report.asSpecified++
		i := s.last
		if c.Name != "" {
			i = s.modules[c.Name]
		}
		s.linked = append(s.linked, i)
		s.offer(c.As, i)
	case "action", "assert_return":
		s.assertReturn(c)
	case "assert_trap", "assert_exhaustion":
		s.assertTrap(c)
	case "assert_invalid", "assert_malformed":
		s.assertRefused(c)
	case "assert_unlinkable":
		s.assertUnlinkable(c)
	case "assert_uninstantiable":
		s.assertUninstantiable(c)
	default:
		s.errorf(c, "unknown command")
	}
}

func (s *spec) errorf(c command, format string, args ...any) {
	s.t.Errorf("%s:%d %s %s: %s", s.path, c.Line, c.Type, c.Action.Field, fmt.Sprintf(format, args...))
}

func (s *spec) otherwise(reason string) { s.report.otherwise[reason]++ }

// offer lets later modules import the functions of an instance, through the
// host.
func (s *spec) offer(as string, i *instance) {
	if i.program == nil {
		return
	}
	for _, e := range i.program.Module.Exports {
		if e.Kind != meter.KindFunc {
			continue
		}
		s.imports[[2]string{as, e.Name}] = machine.HostImport{Type: e.Type, Call: func(_ *machine.Instance, stack []uint64) error {
			results, _, err := i.call(e.Name, slices.Clone(stack[:len(e.Type.Params)]))
			copy(stack, results)
			return err
		}}
	}
}

// missed remembers that instances are not in the state that the tests expect.
func (s *spec) missed(instances []*instance, why string) {
	for _, i := range instances {
		i.missed = why
	}
}

// excused reports and counts a command that expects what could not be run.
func (s *spec) excused(c command) bool {
	why := s.target(c).missed
	if why != "" {
		s.otherwise(why)
	}
	return why != ""
}

var (
	quoted  = regexp.MustCompile(`"[^"]*"`)
	numbers = regexp.MustCompile(`\b(0x)?[0-9]+\b`)
	imports = regexp.MustCompile(`imports (memory |table |global )?[^ ]+\.[^ ,:]+`)
)

// reason is a refusal without what differs from case to case.
func reason(err error) string {
	refusal := (*meter.Refusal)(nil)
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	text := quoted.ReplaceAllString(refusal.Reason, "…")
	text = imports.ReplaceAllString(text, "imports ${1}…")
	return "refused: " + numbers.ReplaceAllString(text, "N")
}

func (s *spec) read(c command) []byte {
	wasm, err := os.ReadFile(filepath.Join(s.dir, c.Filename))
	if err != nil {
		s.t.Fatal(err)
	}
	return wasm
}

// load makes an instance; one that was refused remembers why.
func (s *spec) load(c command) *instance {
	program, err := machine.Load(context.Background(), s.engine, s.read(c))
	if err != nil {
		if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
			s.errorf(c, "%v", err)
		}
		s.missed(s.linked, "should have been changed by a module that was refused")
		s.otherwise(reason(err))
		return &instance{refused: reason(err)}
	}
	i := &instance{program: program, imports: maps.Clone(s.imports)}
	if err := i.start(); err != nil {
		s.missed(s.linked, "should have been changed by a module that was refused")
		i.refused = reason(err)
		s.otherwise(i.refused)
		return i
	}
	for _, from := range program.Module.Imports {
		if from.Module != "spectest" {
			s.linked = append(s.linked, i)
			break
		}
	}
	s.report.asSpecified++
	return i
}

func (s *spec) target(c command) *instance {
	if c.Action.Module != "" {
		return s.modules[c.Action.Module]
	}
	return s.last
}

// call performs an action. It says why if it cannot.
func (s *spec) call(c command) (results []uint64, types []meter.ValType, fault *machine.Fault, why string) {
	i := s.target(c)
	if i.refused != "" {
		return nil, nil, nil, i.refused
	}
	if c.Action.Type == "get" {
		return nil, nil, nil, "reads an exported global"
	}
	var args []uint64
	for _, v := range c.Action.Args {
		if (v.Type == "externref" || v.Type == "funcref") && v.Value != "null" {
			s.missed([]*instance{i}, "should have been changed by a call that hands in a reference")
			return nil, nil, nil, "hands in a reference"
		}
		args = append(args, v.bits()...)
	}
	e, ok := i.program.Module.Export(c.Action.Field)
	if !ok {
		s.errorf(c, "no such export")
	}
	results, fuel, err := i.call(c.Action.Field, args)
	if err != nil {
		fault := (*machine.Fault)(nil)
		if !errors.As(err, &fault) {
			s.errorf(c, "%v is no fault", err)
		}
		return nil, nil, fault, ""
	}
	at := fmt.Sprintf("%s:%d", s.path, c.Line)
	s.report.fuel[at] = fuel
	if first := s.report.first; first != nil && first.fuel[at] != fuel {
		s.errorf(c, "%d units of fuel, the first engine used %d", fuel, first.fuel[at])
	}
	return results, e.Type.Results, nil, ""
}

func (s *spec) assertReturn(c command) {
	results, types, fault, why := s.call(c)
	switch {
	case why != "":
		s.otherwise(why)
	case fault != nil:
		if !s.excused(c) {
			s.errorf(c, "%v", fault)
		}
	case c.Type == "action":
		s.report.asSpecified++
	default:
		s.compare(c, results, types)
	}
}

func (s *spec) compare(c command, results []uint64, types []meter.ValType) {
	if len(types) != len(c.Expected) {
		s.errorf(c, "%d results, want %d", len(types), len(c.Expected))
		return
	}
	worst, all := exact, results
	for n, want := range c.Expected {
		width := 1
		if types[n] == meter.V128 {
			width = 2
		}
		worst = max(worst, want.match(results[:width]))
		results = results[width:]
	}
	switch worst {
	case exact:
		s.report.asSpecified++
	case madeCanonical:
		s.otherwise("a NaN is canonical when it leaves the guest")
	default:
		if c.Action.seesNaN() {
			s.otherwise("a NaN is canonical where its bits are seen")
		} else if !s.excused(c) {
			s.errorf(c, "results are %#x, want %v", all, c.Expected)
		}
	}
}

// seesNaN reports whether an action is one that looks at the bits of a NaN: a
// reinterpretation, or copysign.
func (a action) seesNaN() bool {
	if !strings.Contains(a.Field, "reinterpret") && !strings.Contains(a.Field, "copysign") {
		return false
	}
	return slices.ContainsFunc(a.Args, func(v value) bool { return v.notCanonical() })
}

// classes are the specification's words for traps.
var classes = []struct {
	text  string
	class turn.Class
}{
	{"unreachable", turn.Unreachable},
	{"out of bounds memory access", turn.Memory},
	{"integer divide by zero", turn.Divide},
	{"integer overflow", turn.Overflow},
	{"invalid conversion to integer", turn.Conversion},
	{"out of bounds table access", turn.Table},
	{"undefined", turn.Table},
	{"uninitialized", turn.Table},
	{"indirect call", turn.Table},
}

func classOf(text string) turn.Class {
	for _, c := range classes {
		if strings.HasPrefix(text, c.text) {
			return c.class
		}
	}
	return turn.Worker
}

func (s *spec) assertTrap(c command) {
	_, _, fault, why := s.call(c)
	if why != "" {
		s.otherwise(why)
		return
	}
	if fault == nil {
		if !s.excused(c) {
			s.errorf(c, "no trap, want %s", c.Text)
		}
		return
	}
	want := classOf(c.Text)
	if c.Type == "assert_exhaustion" {
		want = turn.Depth
		if s.engine.Name() == "interpreter" && fault.Class == turn.Worker {
			want = turn.Worker // it cannot go as deep as our limit
		}
	}
	if fault.Class != want {
		s.errorf(c, "%v, want %v (%s)", fault, want, c.Text)
		return
	}
	s.report.asSpecified++
}

func (s *spec) assertRefused(c command) {
	if c.ModuleType == "text" {
		s.otherwise("tests the text format")
		return
	}
	_, err := meter.Rewrite(s.read(c))
	if refusal := (*meter.Refusal)(nil); errors.As(err, &refusal) {
		s.report.asSpecified++
	} else if err != nil {
		s.errorf(c, "%v is no refusal", err)
	} else if strings.HasPrefix(s.path, "v1/") {
		s.otherwise("invalid in 1.0, valid in 2.0: " + c.Text)
	} else {
		s.errorf(c, "%s is accepted, want %s", c.Filename, c.Text)
	}
}

func (s *spec) assertUnlinkable(c command) {
	program, err := machine.Load(context.Background(), s.engine, s.read(c))
	if err == nil {
		defer program.Close()
		_, err = program.Instantiate(limits, s.imports)
	}
	if refusal := (*meter.Refusal)(nil); errors.As(err, &refusal) {
		s.report.asSpecified++
	} else if err == nil && strings.Contains(c.Text, "does not fit") {
		s.otherwise("segments are checked when they are written, as 2.0 says: " + c.Text)
	} else {
		s.errorf(c, "%v, want a refusal (%s)", err, c.Text)
	}
}

func (s *spec) assertUninstantiable(c command) {
	program, err := machine.Load(context.Background(), s.engine, s.read(c))
	if err == nil {
		defer program.Close()
		i := &instance{program: program, imports: s.imports}
		err = i.start()
	}
	fault := (*machine.Fault)(nil)
	refusal := (*meter.Refusal)(nil)
	switch {
	case errors.As(err, &fault) && fault.Class == classOf(c.Text):
		s.report.asSpecified++
	case errors.As(err, &refusal):
		s.missed(s.linked, "should have been changed by a module that was refused")
		s.otherwise(reason(err))
	default:
		s.errorf(c, "%v, want %s", err, c.Text)
	}
}

// limits are more than any of the tests needs, but for those that recurse or
// grow for ever.
var limits = turn.Limits{Fuel: 1 << 40, MemoryPages: 4096}

func ignore(*machine.Instance, []uint64) error { return nil }

func printer(params ...meter.ValType) machine.HostImport {
	return machine.HostImport{Type: meter.FuncType{Params: params}, Call: ignore}
}

var spectest = machine.Imports{
	{"spectest", "print"}:         printer(),
	{"spectest", "print_i32"}:     printer(meter.I32),
	{"spectest", "print_i64"}:     printer(meter.I64),
	{"spectest", "print_f32"}:     printer(meter.F32),
	{"spectest", "print_f64"}:     printer(meter.F64),
	{"spectest", "print_i32_f32"}: printer(meter.I32, meter.F32),
	{"spectest", "print_f64_f64"}: printer(meter.F64, meter.F64),
}

// An instance lives on after a trap, as the specification's do: ours is dead
// then, so another one is made and the calls that went well are made again.
type instance struct {
	program *machine.Program
	imports machine.Imports
	refused string // why there is none
	missed  string // what should have changed it and could not be run
	run     *machine.Instance
	calls   []call
}

type call struct {
	export string
	args   []uint64
}

func (i *instance) start() error {
	run, err := i.program.Instantiate(limits, i.imports)
	if err != nil {
		return err
	}
	i.run = run
	if err := run.Start(); err != nil {
		return err
	}
	for _, c := range i.calls {
		if _, err := run.Call(c.export, c.args...); err != nil {
			return fmt.Errorf("call again: %w", err)
		}
	}
	return nil
}

func (i *instance) call(export string, args []uint64) ([]uint64, uint64, error) {
	if i.run == nil {
		if err := i.start(); err != nil {
			return nil, 0, err
		}
	}
	before := i.run.FuelUsed()
	results, err := i.run.Call(export, args...)
	if err != nil {
		err = errors.Join(err, i.run.Close())
		i.run = nil
		return nil, 0, err
	}
	i.calls = append(i.calls, call{export, args})
	return results, i.run.FuelUsed() - before, nil
}

func (i *instance) close() {
	if i.run != nil {
		i.run.Close()
	}
	if i.program != nil {
		i.program.Close()
	}
}

// bits is the value as the machine takes it.
func (v value) bits() []uint64 {
	if v.Type != "v128" {
		return []uint64{number(v.Value)}
	}
	var bits [2]uint64
	for n, lane := range v.lanes() {
		at := n * v.laneBits()
		bits[at/64] |= number(lane) << (at % 64)
	}
	return bits[:]
}

func (v value) lanes() []any { return v.Value.([]any) }

func (v value) laneBits() int {
	n, err := strconv.Atoi(v.LaneType[1:])
	if err != nil {
		panic(err)
	}
	return n
}

func number(v any) uint64 {
	text := v.(string)
	if text == "null" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// How well a result fits, from good to bad.
const (
	exact = iota
	madeCanonical
	wrong
)

func (v value) match(got []uint64) int {
	switch v.Type {
	case "externref", "funcref":
		if null := v.Value == "null"; null == (got[0] == 0) {
			return exact
		}
		return wrong
	case "v128":
		worst := exact
		for n, lane := range v.lanes() {
			at, width := n*v.laneBits(), v.laneBits()
			bits := got[at/64] >> (at % 64)
			if width < 64 {
				bits &= 1<<width - 1
			}
			if v.LaneType[0] == 'f' && lane == "nan:canonical" {
				bits &^= 1 << (width - 1) // the sign of a lane is nobody's business
			}
			worst = max(worst, scalar(v.LaneType, lane, bits))
		}
		return worst
	}
	return scalar(v.Type, v.Value, got[0])
}

func scalar(kind string, want any, got uint64) int {
	if want == "nan:canonical" || want == "nan:arithmetic" {
		if isNaN(kind, got) && !notCanonical(kind, got) {
			return exact
		}
		return wrong
	}
	switch bits := number(want); {
	case bits == got:
		return exact
	case isNaN(kind, bits) && isNaN(kind, got) && !notCanonical(kind, got):
		return madeCanonical
	}
	return wrong
}

func isNaN(kind string, bits uint64) bool {
	switch kind {
	case "f32":
		return bits&(1<<31-1) > 0x7f8<<20
	case "f64":
		return bits&(1<<63-1) > 0x7ff<<52
	}
	return false
}

// notCanonical reports a NaN that is not as this machine would have it.
func notCanonical(kind string, bits uint64) bool {
	return isNaN(kind, bits) && bits != meter.CanonicalNaN32 && bits != meter.CanonicalNaN64
}

func (v value) notCanonical() bool {
	return v.Type != "v128" && notCanonical(v.Type, v.bits()[0])
}
