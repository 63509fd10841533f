package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"carrel/guest/zencode"
	"carrel/guest/zencode/secret"
	"carrel/home"
	"carrel/runner"
	"carrel/worker/confine"
)

// zencodeFlags are those of carrel run that are for Zencode and Lua.
type zencodeFlags struct {
	data, keys, extra, context string // files, "-" is standard input
	conf                       string
	secrets                    []string // NAME=FILE
}

func (f *zencodeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", "", "Zencode: its DATA is in `FILE`, - is standard input")
	flags.StringVar(&f.keys, "keys", "", "Zencode: its KEYS are in `FILE`")
	flags.StringVar(&f.extra, "extra", "", "Zencode: its EXTRA is in `FILE`")
	flags.StringVar(&f.context, "context", "", "Zencode: its CONTEXT is in `FILE`")
	flags.StringArrayVar(&f.secrets, "secret", nil, `Zencode: what {"$secret": "NAME"} in its KEYS stands for is in `+"`NAME=FILE`")
	flags.StringVar(&f.conf, "conf", "", "Zencode: Zenroom's configuration, as in debug=0,scope=full")
}

// inputs are the flags that name files, with where their contents go.
func (f *zencodeFlags) inputs(z *runner.Zencode) []struct {
	flag, file string
	to         *[]byte
} {
	return []struct {
		flag, file string
		to         *[]byte
	}{{"data", f.data, &z.Data}, {"keys", f.keys, &z.Keys}, {"extra", f.extra, &z.Extra}, {"context", f.context, &z.Context}}
}

// absent reports the first of them that was given, for a program that is no script of
// Zencode or Lua.
func (f *zencodeFlags) absent() error {
	for _, in := range f.inputs(&runner.Zencode{}) {
		if in.file != "" {
			return usagef("--%s is for Zencode and Lua (.zen, .lua)", in.flag)
		}
	}
	if f.conf != "" || len(f.secrets) > 0 {
		return usagef("--conf and --secret are for Zencode and Lua (.zen, .lua), --secret for workers (.json) too")
	}
	return nil
}

const luaEnding = ".lua"

func isZencode(name string) bool {
	return filepath.Ext(name) == ".zen" || filepath.Ext(name) == luaEnding
}

// checkZencode reports flags that are not for Zencode.
func (f *runFlags) checkZencode(spec *runner.Spec) error {
	const ownInputs = "a script has its data and keys: --data, --keys, --extra, --context"
	if len(spec.Args) > 1 {
		return usagef("%q: a script has no arguments; %s", spec.Args[1], ownInputs)
	}
	return unfit("Zencode", []flagUse{
		{len(f.dirs) > 0, "dir", ownInputs},
		{len(f.tars) > 0, "tar", ownInputs},
		{len(f.env) > 0, "env", ownInputs},
		{f.cwd != "", "cwd", ownInputs},
		{f.clock != "tick", "clock", "its clock ticks"},
		{f.call != "", "call", "it runs from its beginning to its end"},
		{f.from != "", "from", "it runs from its beginning to its end"},
		{f.imageOut != "", "image-out", "each run is a fresh one"},
		{f.trace != "", "trace", "its log is on standard error; --conf debug=3 has more in it"},
	})
}

// loadZencode makes of a script, and of what flags name, what is run. Without a seed
// it draws one: what a script makes by chance is often a key.
func (f *runFlags) loadZencode(cmd *cobra.Command, name string, spec *runner.Spec) error {
	z := &runner.Zencode{Lua: filepath.Ext(name) == luaEnding, Conf: []byte(f.zencode.conf)}
	var err error
	if z.Script, err = readText(name, nil); errors.Is(err, fs.ErrNotExist) {
		return failf(exitNotFound, "%s: there is no such script", name)
	} else if err != nil {
		return failf(exitNotFound, "%w", err)
	}
	stdin := cmd.InOrStdin()
	for _, in := range f.zencode.inputs(z) {
		if in.file == "" {
			continue
		}
		from := stdin
		if in.file == "-" {
			if stdin == nil {
				return usagef("--%s: standard input is another one's already", in.flag)
			}
			stdin = nil
		}
		if *in.to, err = readText(in.file, from); err != nil {
			return fmt.Errorf("--%s: %w", in.flag, err)
		}
	}
	if len(f.zencode.secrets) > 0 {
		if len(z.Keys) == 0 {
			return usagef("--secret needs --keys, with {\"$secret\": \"NAME\"} where the secret is to be")
		}
		contents, err := readSecrets(f.zencode.secrets)
		if err != nil {
			return err
		}
		hush(cmd)
		z.SecretLimits, z.Secrets = secret.Defaults, runner.Salted(contents)
	}
	h, err := home.Find()
	if err != nil {
		return err
	}
	if z.Glue, err = readZenroom(cmd, h); err != nil {
		return err
	}
	if spec.Program, err = zencode.Wasm(z.Glue); err != nil {
		return err
	}
	if f.seed == "" && !strings.Contains(f.zencode.conf, "rngseed") {
		spec.Seed = make([]byte, seedBytesMax)
		_, _ = rand.Read(spec.Seed) // which never fails
	}
	spec.Zencode = z
	return nil
}

// readSecrets reads what --secret names.
func readSecrets(pairs []string) (map[string][]byte, error) {
	secrets := map[string][]byte{}
	for _, pair := range pairs {
		name, file, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usagef("--secret: %q is not of the form NAME=FILE", pair)
		}
		content, err := readText(file, nil)
		if err != nil {
			return nil, fmt.Errorf("--secret: %w", err)
		}
		secrets[name] = content
	}
	return secrets, nil
}

// hush has the secrets that this process was told not come into a core dump.
func hush(cmd *cobra.Command) {
	if err := confine.NoDump(); err != nil && !errors.Is(err, confine.ErrUnsupported) {
		fmt.Fprintf(cmd.ErrOrStderr(), "carrel: secrets may come into a core dump: %v\n", err)
	}
}

// readText reads a file, or standard input as "-".
func readText(name string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if name != "-" || stdin == nil {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	b, err := io.ReadAll(io.LimitReader(from, zencode.TextBytesMax+1))
	if err == nil && len(b) > zencode.TextBytesMax {
		err = fmt.Errorf("%s is %w", name, zencode.ErrTooLarge)
	}
	return b, err
}
