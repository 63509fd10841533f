package receipt

import (
	"fmt"
	"strconv"
	"strings"
)

// A Difference is one field in which a replay did not give what the receipt
// says.
type Difference struct {
	Field    string `json:"field"`    // "fuel", "stdout", "write /data out.txt"
	Expected string `json:"expected"` // "" if it should not be there
	Got      string `json:"got"`      // "" if it is not there
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: expected %s, got %s", d.Field, orNothing(d.Expected), orNothing(d.Got))
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// Compare lists where two results differ, in the order of the fields of Result:
// first those that expected has, then those that only got has. It is empty if
// and only if the results are the same.
func Compare(expected, got *Result) []Difference {
	return compare(resultFields(expected), resultFields(got))
}

// CompareInput lists where two inputs differ, in the order of the fields of
// Input.
func CompareInput(expected, got *Input) []Difference {
	return compare(inputFields(expected), inputFields(got))
}

// A field is a named value in a flat list.
type field struct{ name, value string }

// fields collects a flat list with unique names.
type fields struct {
	list []field
	seen map[string]int
}

func (f *fields) add(name, value string) {
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[name]++
	if n := f.seen[name]; n > 1 {
		name = fmt.Sprintf("%s (%d)", name, n)
	}
	f.list = append(f.list, field{name, value})
}

func compare(expected, got []field) []Difference {
	values := make(map[string]string, len(got))
	for _, f := range got {
		values[f.name] = f.value
	}
	var differences []Difference
	seen := make(map[string]bool, len(expected))
	for _, f := range expected {
		seen[f.name] = true
		if value, ok := values[f.name]; !ok || value != f.value {
			differences = append(differences, Difference{f.name, f.value, value})
		}
	}
	for _, f := range got {
		if !seen[f.name] {
			differences = append(differences, Difference{f.name, "", f.value})
		}
	}
	return differences
}

func resultFields(r *Result) []field {
	var f fields
	f.add("class", r.Class)
	f.add("code", number(r.Code))
	f.add("fuel", strconv.FormatUint(r.Fuel, 10))
	f.add("root", orNothing(r.Root.String()))
	f.add("stdout", r.Stdout.String())
	f.add("stderr", r.Stderr.String())
	f.add("returned", strings.Join(r.Returned, " "))
	for _, write := range r.Writes {
		f.add("write "+write.Guest, content(write.Content, "directory"))
		for _, change := range write.Changes {
			f.add("write "+write.Guest+" "+change.Path, change.String())
		}
	}
	return f.list
}

func inputFields(in *Input) []field {
	var f fields
	f.add("machineVersion", number(in.MachineVersion))
	f.add("program", in.Program.String())
	f.add("guest", in.Guest.Name+" "+number(in.Guest.Version))
	f.add("args", strconv.Itoa(len(in.Args)))
	for n, arg := range in.Args {
		f.add(fmt.Sprintf("args[%d]", n), strconv.Quote(arg))
	}
	f.add("env", strconv.Itoa(len(in.Env)))
	for n, variable := range in.Env {
		f.add(fmt.Sprintf("env[%d]", n), strconv.Quote(variable))
	}
	f.add("cwd", in.Cwd)
	f.add("timeNs", strconv.FormatUint(in.TimeNS, 10))
	f.add("clock", in.Clock)
	f.add("seed", in.Seed)
	f.add("limits.fuel", strconv.FormatUint(in.Limits.Fuel, 10))
	f.add("limits.memoryPages", number(in.Limits.MemoryPages))
	f.add("stdin", in.Stdin.String())
	for _, mount := range in.Mounts {
		f.add("mount "+mount.Guest, strings.TrimSuffix(mount.Kind+" "+mount.Mode+" "+content(mount.Content, ""), " "))
		for _, observation := range mount.Observed {
			f.add("mount "+mount.Guest+" "+observation.Path, observation.String())
		}
	}
	f.add("imageBefore", orNothing(in.ImageBefore.String()))
	f.add("imageFile", content(in.ImageFile, "nothing"))
	if in.Call != nil {
		f.add("call", in.Call.String())
	}
	for _, secret := range in.Secrets {
		f.add("secret "+secret.Name, secret.String())
	}
	return f.list
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func content(blob *Blob, otherwise string) string {
	if blob == nil {
		return otherwise
	}
	return blob.String()
}

// String is the call as one would write it, for people.
func (c *Call) String() string { return c.Export + "(" + strings.Join(c.Args, ", ") + ")" }

// String is the digest and the size, for people.
func (b Blob) String() string {
	return fmt.Sprintf("%s (%d bytes)", orNothing(b.Digest.String()), b.Size)
}

// String says what was read, for people.
func (s Stdin) String() string {
	text := s.Blob.String()
	if s.End {
		text += " to the end"
	}
	if s.Lines {
		text += " by lines"
	}
	return text
}

// String says what was observed, for people.
func (o Observation) String() string {
	var text strings.Builder // a directory may have a hundred thousand entries
	text.WriteString(o.Kind)
	if o.Kind == KindFile || o.Size != 0 {
		fmt.Fprintf(&text, " %d bytes", o.Size)
	}
	if !o.Digest.IsZero() {
		text.WriteString(" " + o.Digest.String())
	}
	if o.Listed {
		text.WriteString(" listed:")
	}
	for _, entry := range o.Entries {
		text.WriteString(" " + entry.Kind + " " + strconv.Quote(entry.Name))
	}
	if o.Target != "" {
		fmt.Fprintf(&text, " at %q", o.Target)
	}
	return text.String()
}

// String says what changed, for people.
func (c Change) String() string {
	text := c.Was + " to " + c.Kind
	if c.Content != nil {
		text += " " + c.Content.String()
	}
	if c.Target != "" {
		text += fmt.Sprintf(" at %q", c.Target)
	}
	return text
}
