package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/program/keys"
	"carrel/program/seal"
)

func keysTrust() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "trust [flags] [KEY NAME]",
		Short: "Trust somebody's key, or list whom you trust",
		Long: `Trust adds a public key (ed25519-public:…, as carrel keys show prints it) to the
trust file, under a name of your choice. Without arguments it lists whom you
trust. Your own keys are trusted without being listed.` + exits("0  done", "125  our own error, or a key that is none"),
		Example: "  carrel keys trust ed25519-public:…  alice\n  carrel keys trust",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 {
				return usagef("want a KEY and a NAME, or nothing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			list, err := readTrustFile(h.Trust)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if len(args) == 2 {
				public, err := seal.ParsePublicKey(args[0])
				if err != nil {
					return err
				}
				if slices.ContainsFunc(list, func(t keys.Trusted) bool { return t.Public == public }) {
					return fmt.Errorf("%s is trusted already", public.ID())
				}
				list = append(list, keys.Trusted{ID: public.ID(), Public: public, Name: args[1]})
				return writeTrustFile(h.Trust, list)
			}
			if out == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), append([]keys.Trusted{}, list...))
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			for _, trusted := range list {
				fmt.Fprintf(t, "%s\t%s\n", trusted.ID, trusted.Name)
			}
			return t.Flush()
		},
	}
	out.flag(cmd)
	return cmd
}

func keysDistrust() *cobra.Command {
	return &cobra.Command{
		Use:     "distrust ID",
		Short:   "Trust somebody's key no longer",
		Long:    "Distrust takes a key out of the trust file." + exits("0  done", "127  it was not trusted", "125  our own error"),
		Example: "  carrel keys distrust ed25519:0123456789abcdef0123456789abcdef",
		Args:    exactly("ID"),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			list, err := readTrustFile(h.Trust)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			rest := slices.DeleteFunc(slices.Clone(list), func(t keys.Trusted) bool { return t.ID.String() == args[0] })
			if len(rest) == len(list) {
				return failf(exitNotFound, "%s is not in %s", args[0], h.Trust)
			}
			return writeTrustFile(h.Trust, rest)
		},
	}
}

// readTrustFile reads a trust file: fs.ErrNotExist if there is none.
func readTrustFile(name string) ([]keys.Trusted, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, keys.TrustBytesMax+1))
	if err != nil {
		return nil, err
	}
	list, err := keys.ParseTrust(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// writeTrustFile replaces the trust file in one step. What it would not read
// again it does not write.
func writeTrustFile(name string, list []keys.Trusted) error {
	text := []byte("# Keys that carrel verify trusts: id, public key, name. carrel keys trust adds one.\n")
	for _, trusted := range list {
		text = fmt.Appendln(text, trusted)
	}
	if _, err := keys.ParseTrust(text); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return writePrivate(name, text)
}

// signers are the keys that verify trusts: those that were asked for (a public
// key, or a trust file), else the trust file and this user's own keys.
func signers(asked []string) ([]seal.PublicKey, error) {
	var list []seal.PublicKey
	for _, s := range asked {
		if public, err := seal.ParsePublicKey(s); err == nil {
			list = append(list, public)
			continue
		}
		trusted, err := readTrustFile(s)
		if err != nil {
			return nil, fmt.Errorf("--signer %s: neither a public key nor a trust file: %w", s, err)
		}
		list = append(list, publics(trusted)...)
	}
	if len(asked) > 0 {
		return list, nil
	}
	h, err := home.Find()
	if err != nil {
		return nil, err
	}
	trusted, err := readTrustFile(h.Trust)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	own, err := keys.At(h.Keys).List()
	if err != nil {
		return nil, err
	}
	for _, key := range own {
		list = append(list, key.Public)
	}
	return append(list, publics(trusted)...), nil
}

func publics(list []keys.Trusted) []seal.PublicKey {
	var keys []seal.PublicKey
	for _, trusted := range list {
		keys = append(keys, trusted.Public)
	}
	return keys
}
