package nxcc

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"carrel/egress"
	"carrel/guest/zencode/secret"
	"carrel/quantity"
)

// Settings are what an operator sets: flags of nxcc-zenroom-vm, variables of the
// environment, or nXCC's defaults, in that order.
type Settings struct {
	ZencodePath, LuaPath string
	TimeoutMillis        uint64

	Postback              bool
	PostbackHosts         []string
	PostbackSchemes       []string
	PostbackPorts         []uint
	PostbackBlockPrivate  bool
	PostbackTimeoutMillis uint64

	StdoutMax, StderrMax, ScriptMax, ConfMax int
	SecretsMax, DerivedMax                   int
	AllowDebug, RequireKDF                   bool

	// What follows is Carrel's own.
	Runtime           Runtime
	Engine            string
	Fuel, Memory      uint64
	Running, Prepared int
	PostbackSignKey   string
	PostbackReceipt   bool
	Receipts          string

	variables []variable
	from      map[string]string // of flags that were not given, their variables
}

// A variable of the environment says what a flag does.
type variable struct{ flag, name string }

// A Runtime is what runs scripts.
type Runtime string

// The runtimes.
const (
	RuntimeAuto   Runtime = "auto" // RuntimeNative if an executable was named, else RuntimeWasm
	RuntimeWasm   Runtime = "wasm"
	RuntimeNative Runtime = "native"
)

// variablePrefix begins the names of variables.
const variablePrefix = "NXCC_ZENROOM_VM_"

// bytesLimit is a flag's largest number of bytes.
const bytesLimit = 1 << 30

// NewSettings adds the flags of all settings, with nXCC's defaults.
func NewSettings(flags *pflag.FlagSet) *Settings {
	s := &Settings{Runtime: RuntimeAuto, Fuel: fuelDefault, Memory: memoryDefault, from: map[string]string{}}
	add := func(name string) string {
		s.variables = append(s.variables, variable{name, variablePrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))})
		return name
	}
	flags.StringVar(&s.ZencodePath, add("zencode-exec-path"), "zencode-exec", "run Zencode by this `executable`: a path, or a name on PATH")
	flags.StringVar(&s.LuaPath, add("lua-exec-path"), "lua-exec", "run Lua by this `executable`: a path, or a name on PATH")
	flags.Uint64Var(&s.TimeoutMillis, add("exec-timeout-ms"), 10_000, "stop a script after so many `milliseconds`")
	flags.BoolVar(&s.Postback, add("postback-enabled"), false, "send postbacks")
	flags.StringSliceVar(&s.PostbackHosts, add("postback-allowed-host-suffixes"), nil, "the `hosts` that postbacks may go to, and those below them; none is none")
	flags.StringSliceVar(&s.PostbackSchemes, add("postback-allowed-schemes"), []string{"https"}, "the `schemes` of their URLs")
	flags.UintSliceVar(&s.PostbackPorts, add("postback-allowed-ports"), []uint{443}, "the `ports` of their URLs")
	flags.BoolVar(&s.PostbackBlockPrivate, add("postback-block-private-ips"), true, "only to addresses that are globally routable")
	flags.Uint64Var(&s.PostbackTimeoutMillis, add("postback-timeout-ms"), 5000, "give up an attempt after so many `milliseconds`")
	flags.IntVar(&s.StdoutMax, add("max-stdout-bytes"), 262_144, "stop a script that prints more `bytes`")
	flags.IntVar(&s.StderrMax, add("max-stderr-bytes"), 262_144, "stop a script that logs more `bytes`")
	flags.IntVar(&s.ScriptMax, add("max-script-bytes"), 524_288, "refuse a script of more `bytes`")
	flags.IntVar(&s.SecretsMax, add("max-total-secrets-bytes"), secret.Defaults.TotalBytes, "refuse secrets of more `bytes`, before and after they are derived")
	flags.IntVar(&s.DerivedMax, add("max-derived-key-len"), secret.Defaults.DerivedBytes, "refuse to derive more `bytes` for a placeholder")
	flags.IntVar(&s.ConfMax, add("max-conf-bytes"), 4096, "refuse a conf of more `bytes`")
	flags.BoolVar(&s.AllowDebug, add("allow-debug-conf"), false, "let a conf say debug; else it is debug=0")
	flags.BoolVar(&s.RequireKDF, add("require-kdf"), false, "hand out secrets derived, and never as they are")

	flags.Var(&s.Runtime, add("runtime"), "what runs scripts: wasm, which is deterministic, native, or auto: native if an executable is named, else wasm")
	flags.StringVar(&s.Engine, add("engine"), "auto", "wasm: `ENGINE` auto, wazero, interpreter or wasmtime; the result is the same")
	flags.Var(&amount{&s.Fuel, quantity.Fuel, quantity.FormatFuel, "FUEL"}, add("fuel"), "wasm: units of fuel that an invocation may use, with k, M, G or T")
	flags.Var(&amount{&s.Memory, quantity.Bytes, quantity.FormatBytes, "SIZE"}, add("memory"), "wasm: memory that an invocation may use, with K, M or G")
	flags.IntVar(&s.Running, add("max-running"), 0, "wasm: how many invocations run at once; 0 is one for each processor")
	flags.IntVar(&s.Prepared, add("prepared"), 0, "wasm: how many instances wait for an invocation, ready; 0 is as many as run, -1 none")
	flags.StringVar(&s.PostbackSignKey, add("postback-sign-key"), "", "sign postbacks (RFC 9421) by the key in `FILE`")
	flags.BoolVar(&s.PostbackReceipt, add("postback-receipt"), false, "wasm: send a receipt with postbacks. It has the seed: whoever gets it can make again what the script made by chance, keys too")
	flags.StringVar(&s.Receipts, add("receipts"), "", "wasm: keep a receipt of each invocation in `DIR`, for carrel verify")
	return s
}

const (
	// fuelDefault is some ten seconds of computing.
	fuelDefault   = 100_000_000_000
	memoryDefault = 256 << 20
)

// An amount is a flag.
type amount struct {
	to     *uint64
	parse  func(string) (uint64, error)
	format func(uint64) string
	kind   string
}

func (a *amount) Set(s string) (err error) { *a.to, err = a.parse(s); return err }
func (a *amount) Type() string             { return a.kind }
func (a *amount) String() string {
	if a.to == nil {
		return ""
	}
	return a.format(*a.to)
}

// Set is of pflag.Value.
func (r *Runtime) Set(s string) error {
	if !slices.Contains([]Runtime{RuntimeAuto, RuntimeWasm, RuntimeNative}, Runtime(s)) {
		return fmt.Errorf("%q is no runtime: auto, wasm or native", s)
	}
	*r = Runtime(s)
	return nil
}

func (r *Runtime) String() string { return string(*r) }

// Type is of pflag.Value.
func (r *Runtime) Type() string { return "RUNTIME" }

// Environment sets what no flag did from the environment, and checks all of it.
func (s *Settings) Environment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	for _, v := range s.variables {
		if !flags.Changed(v.flag) {
			s.from[v.flag] = v.name
		}
		if err := FromVariable(flags, v.flag, v.name, lookup); err != nil {
			return err
		}
	}
	of := func(flag string) string { return cmp.Or(s.from[flag], "--"+flag) } // where its value is from
	for _, n := range []struct {
		flag  string
		value int
	}{{"max-stdout-bytes", s.StdoutMax}, {"max-stderr-bytes", s.StderrMax}, {"max-script-bytes", s.ScriptMax}, {"max-conf-bytes", s.ConfMax},
		{"max-total-secrets-bytes", s.SecretsMax}, {"max-derived-key-len", s.DerivedMax}} {
		if n.value < 0 || n.value > bytesLimit {
			return fmt.Errorf("%s: %d is not from 0 to %d", of(n.flag), n.value, bytesLimit)
		}
	}
	for _, port := range s.PostbackPorts {
		if port > 65535 {
			return fmt.Errorf("%s: %d is no port", of("postback-allowed-ports"), port)
		}
	}
	for _, n := range []struct {
		flag  string
		value uint64
	}{{"exec-timeout-ms", s.TimeoutMillis}, {"postback-timeout-ms", s.PostbackTimeoutMillis}} {
		if n.value == 0 {
			return fmt.Errorf("%s: 0 milliseconds are too few for anything", of(n.flag))
		}
	}
	return nil
}

// FromVariable sets a flag from a variable of the environment, unless it was given.
func FromVariable(flags *pflag.FlagSet, flag, name string, lookup func(string) (string, bool)) error {
	text, ok := lookup(name)
	f := flags.Lookup(flag)
	if !ok || f.Changed {
		return nil
	}
	if _, err := strconv.ParseBool(text); f.Value.Type() == "bool" && err == nil && text != "true" && text != "false" {
		return fmt.Errorf("%s: %q is neither true nor false", name, text)
	}
	if err := f.Value.Set(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.Changed = true
	return nil
}

// Native reports, for Zencode and for Lua, whether executables run it.
func (s *Settings) Native(flags *pflag.FlagSet) (zencode, lua bool) {
	if s.Runtime != RuntimeAuto {
		return s.Runtime == RuntimeNative, s.Runtime == RuntimeNative
	}
	return flags.Changed("zencode-exec-path"), flags.Changed("lua-exec-path")
}

// Options are the settings as a VM takes them. The key, if there is one, signs
// postbacks.
func (s *Settings) Options(key ed25519.PrivateKey, keyID string, log *slog.Logger) (Options, error) {
	ports := []uint16{}
	for _, port := range s.PostbackPorts {
		ports = append(ports, uint16(port))
	}
	out := egress.Options{
		Policy:  egress.Policy{Schemes: s.PostbackSchemes, Ports: ports, HostSuffixes: s.PostbackHosts, BlockPrivate: s.PostbackBlockPrivate},
		Timeout: millis(s.PostbackTimeoutMillis),
	}
	if key != nil {
		var err error
		if out.Signer, err = egress.NewSigner(key, keyID, time.Now); err != nil {
			return Options{}, err
		}
	}
	return Options{
		Timeout: millis(s.TimeoutMillis), StdoutMax: s.StdoutMax, StderrMax: s.StderrMax, ScriptMax: s.ScriptMax, ConfMax: s.ConfMax, AllowDebug: s.AllowDebug,
		Secrets:  secret.Limits{TotalBytes: s.SecretsMax, DerivedBytes: s.DerivedMax, RequireKDF: s.RequireKDF},
		Postback: s.Postback, Egress: egress.New(out), Now: time.Now, Log: log,
	}, nil
}

// millis is a duration, at most a day.
func millis(n uint64) time.Duration {
	const day = 24 * time.Hour
	return time.Duration(min(n, uint64(day/time.Millisecond))) * time.Millisecond
}
