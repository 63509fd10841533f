package nxcc

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"carrel/guest/zencode/secret"
)

// Userdata is what a worker is told of itself.
type Userdata struct {
	Lua                        bool
	Conf                       string
	Data, Keys, Extra, Context []byte   // JSON
	Placeholders               bool     // keys name secrets
	Misplaced                  []string // inputs that do, where they are no placeholders
	Wrap                       bool     // the nxcc metadata stand beside the data, not in them
	Raw                        bool     // the output is not read as JSON
	Pointer                    *string  // of the selected output
	Response                   Response
	Postback                   Postback
}

// A Response is what answers HTTP.
type Response int

const (
	ResponseEnvelope Response = iota
	ResponseStdout
	ResponseSelected
)

// Postback is what becomes of the output.
type Postback struct {
	Enabled, Required bool
	Retries           uint32
	BackoffMillis     uint64
	Targets           []Target
}

// A Target is somewhere that the output goes.
type Target struct {
	Kind    string // KindHTTP or KindEVM
	URL     string
	Method  string
	Headers map[string]string
	Body    *Selector  // of KindHTTP
	Params  []Selector // of KindEVM
}

// The kinds of targets.
const (
	KindHTTP = "http"
	KindEVM  = "evm_jsonrpc"
)

// TargetsMax bounds the targets of a worker.
const TargetsMax = 64

// A Selector chooses a part of the output.
type Selector struct {
	From    string // fromStdout, fromSelected; others fail when they are used
	Pointer *string
}

const (
	fromStdout   = "stdout"
	fromSelected = "selected_output"
)

const (
	confDefault    = "debug=0"
	backoffDefault = 250
)

// parseUserdata reads userdata. The errors have nXCC's texts.
func parseUserdata(text string) (*Userdata, error) {
	none := []byte("{}")
	u := &Userdata{Conf: confDefault, Data: none, Keys: none, Extra: none, Context: none, Postback: Postback{BackoffMillis: backoffDefault}}
	if strings.TrimSpace(text) == "" {
		return u, nil
	}
	value, err := decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("Invalid userdata JSON: %w", err)
	}
	return u, u.read(value)
}

// read reads userdata that is there. Types first, as nXCC does, and then the words.
func (u *Userdata) read(value any) error {
	var r reader
	top := r.top(value, "userdata")
	zenroom := r.member(top, "zenroom")
	mode := r.text(zenroom, "mode", "zencode")
	u.Conf = r.text(zenroom, "conf", confDefault)
	inputs := r.member(zenroom, "inputs")
	for _, in := range []struct {
		name string
		to   *[]byte
	}{{"data", &u.Data}, {"keys", &u.Keys}, {"extra", &u.Extra}, {"context", &u.Context}} {
		v := inputs.of[in.name]
		if v == nil {
			continue
		}
		*in.to = encode(v)
		if named := secret.Named(v); named && in.name == "keys" {
			u.Placeholders = true
		} else if named {
			u.Misplaced = append(u.Misplaced, in.name)
		}
	}
	merge := r.text(inputs, "merge_strategy", "merge")
	output := r.member(zenroom, "output")
	format := r.text(output, "format", "json")
	u.Pointer = r.pointer(output)
	response := r.text(r.member(zenroom, "http"), "response_mode", "envelope")

	postback := r.member(top, "postback")
	u.Postback.Enabled = r.truth(postback, "enabled")
	u.Postback.Required = r.truth(postback, "required")
	retries := r.member(postback, "retries")
	u.Postback.Retries = uint32(r.number(retries, "max", 0, math.MaxUint32))
	u.Postback.BackoffMillis = r.number(retries, "backoff_ms", backoffDefault, math.MaxUint64)
	for n, target := range r.list(postback, "targets") {
		u.Postback.Targets = append(u.Postback.Targets, r.target(target, fmt.Sprintf("postback.targets[%d]", n)))
	}
	if r.err == nil && len(u.Postback.Targets) > TargetsMax {
		r.err = fmt.Errorf("postback.targets: %d, at most %d", len(u.Postback.Targets), TargetsMax)
	}
	if r.err != nil {
		return fmt.Errorf("Invalid userdata JSON: %w", r.err)
	}
	for _, word := range []struct {
		name, value, usual, other string
		set                       *bool
	}{
		{"zenroom.mode", mode, "zencode", "lua", &u.Lua},
		{"merge_strategy", merge, "merge", "wrap", &u.Wrap},
		{"output.format", format, "json", "raw", &u.Raw},
	} {
		value := strings.ToLower(word.value)
		if *word.set = value == word.other; value != word.other && value != word.usual {
			return fmt.Errorf("Unsupported %s '%s'", word.name, word.value)
		}
	}
	switch strings.ToLower(response) {
	case "envelope":
	case "stdout":
		u.Response = ResponseStdout
	case "selected_output":
		u.Response = ResponseSelected
	default:
		return fmt.Errorf("Unsupported http.response_mode '%s'", response)
	}
	return nil
}

// A reader reads a JSON value of a given shape. Null is absent. It notes the first
// thing that is of another type.
type reader struct{ err error }

// An object and where it is.
type object struct {
	of   map[string]any
	path string
}

func (o object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func (r *reader) fail(path, want string, got any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s is wanted, not %.60s", path, want, encode(got))
	}
}

func (r *reader) object(value any, path string) object {
	of, ok := value.(map[string]any)
	if !ok {
		r.fail(path, "an object", value)
	}
	return object{of, path}
}

// top is an object that the paths of its members do not name.
func (r *reader) top(value any, name string) object {
	return object{r.object(value, name).of, ""}
}

func (r *reader) member(o object, name string) object {
	if o.of[name] == nil {
		return object{nil, o.at(name)}
	}
	return r.object(o.of[name], o.at(name))
}

// value is a member of some type, or otherwise.
func value[T any](r *reader, o object, name, want string, otherwise T) T {
	v := o.of[name]
	if v == nil {
		return otherwise
	}
	typed, ok := v.(T)
	if !ok {
		r.fail(o.at(name), want, v)
	}
	return typed
}

func (r *reader) text(o object, name, otherwise string) string {
	return value(r, o, name, "a text", otherwise)
}

// needed is a text that must be there.
func (r *reader) needed(o object, name string) string {
	if o.of[name] == nil {
		r.fail(o.at(name), "a text", nil)
	}
	return r.text(o, name, "")
}

func (r *reader) truth(o object, name string) bool { return value(r, o, name, "true or false", false) }

func (r *reader) list(o object, name string) []any { return value[[]any](r, o, name, "a list", nil) }

func (r *reader) number(o object, name string, otherwise, most uint64) uint64 {
	v := o.of[name]
	if v == nil {
		return otherwise
	}
	n, err := strconv.ParseUint(fmt.Sprint(v), 10, 64)
	if _, is := v.(string); is || err != nil || n > most {
		r.fail(o.at(name), fmt.Sprintf("a whole number up to %d", most), v)
	}
	return n
}

func (r *reader) pointer(o object) *string {
	if o.of["json_pointer"] == nil {
		return nil
	}
	pointer := r.text(o, "json_pointer", "")
	return &pointer
}

func (r *reader) target(value any, path string) Target {
	o := r.object(value, path)
	t := Target{Kind: r.needed(o, "kind"), URL: r.needed(o, "url")}
	switch t.Kind {
	case KindHTTP:
		t.Method = r.text(o, "method", "POST")
		headers := r.member(o, "headers")
		t.Headers = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(headers.of)) {
			t.Headers[name] = r.needed(headers, name)
		}
		if o.of["body"] != nil {
			body := r.selector(o.of["body"], o.at("body"))
			t.Body = &body
		}
	case KindEVM:
		t.Method = r.needed(o, "method")
		for n, param := range r.list(o, "params") {
			t.Params = append(t.Params, r.selector(param, fmt.Sprintf("%s.params[%d]", path, n)))
		}
	default:
		r.fail(o.at("kind"), `"http" or "evm_jsonrpc"`, t.Kind)
	}
	return t
}

// selector reads a selector. From may be absent, as nXCC's documentation has it.
func (r *reader) selector(value any, path string) Selector {
	o := r.object(value, path)
	return Selector{From: r.text(o, "from", fromStdout), Pointer: r.pointer(o)}
}
