package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/program/keys"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Create and show signing keys, and say whose you trust",
		Long: `Receipts are signed with Ed25519. Your keys are files with mode 0600; the public
halves of other people's keys that you trust are listed in the trust file. Your
own keys are trusted. A first key is created when a receipt is first written.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(keysCreate(), keysList(), keysShow(), keysRotate(), keysTrust(), keysDistrust())
	return cmd
}

func keysCreate() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:     "create [flags] [NAME]",
		Short:   "Create a key; it signs if it is the first",
		Long:    "Create makes a key pair. NAME is a label for people; left out it is user@host." + exits("0  created", "125  our own error"),
		Example: "  carrel keys create\n  carrel keys create 'build machine'",
		Args:    atMost("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return makeKey(cmd, args, out, func(d *keys.Dir, name string) (keys.Key, error) { return d.Create(rand.Reader, name) })
		},
	}
	out.flag(cmd)
	return cmd
}

func keysRotate() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "rotate [flags] [NAME]",
		Short: "Create a key and sign with it from now on",
		Long: `Rotate makes a key pair that signs from now on. The keys before it are kept, and
what they signed is still trusted.` + exits("0  created", "125  our own error"),
		Example: "  carrel keys rotate",
		Args:    atMost("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return makeKey(cmd, args, out, func(d *keys.Dir, name string) (keys.Key, error) { return d.Rotate(rand.Reader, name) })
		},
	}
	out.flag(cmd)
	return cmd
}

func makeKey(cmd *cobra.Command, args []string, out format, make func(*keys.Dir, string) (keys.Key, error)) error {
	h, err := home.Find()
	if err != nil {
		return err
	}
	name := defaultKeyName()
	if len(args) > 0 {
		name = args[0]
	}
	key, err := make(keys.At(h.Keys), name)
	if err != nil {
		return err
	}
	return printKey(cmd, out, key)
}

func printKey(cmd *cobra.Command, out format, key keys.Key) error {
	if out == jsonFormat {
		return writeJSON(cmd.OutOrStdout(), key)
	}
	signs := "no"
	if key.Current {
		signs = "yes"
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "id      %s\npublic  %s\nname    %s\nsigns   %s\n", key.ID, key.Public, key.Name, signs)
	return err
}

// defaultKeyName labels a key with who made it, and where.
func defaultKeyName() string {
	user := os.Getenv("USER")
	if user == "" {
		user = "carrel"
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		return user + "@" + host
	}
	return user
}

func keysList() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List your keys, the one that signs first",
		Long:    "List prints every key of yours. The first one signs." + exits("0  listed", "125  our own error"),
		Example: "  carrel keys list\n  carrel keys list -o json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			list, err := keys.At(h.Keys).List()
			if err != nil {
				return err
			}
			if out == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), append([]keys.Key{}, list...))
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			for _, key := range list {
				signs := ""
				if key.Current {
					signs = "signs"
				}
				fmt.Fprintf(t, "%s\t%s\t%s\n", key.ID, key.Name, signs)
			}
			return t.Flush()
		},
	}
	out.flag(cmd)
	return cmd
}

func keysShow() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:     "show [flags] [ID]",
		Short:   "Show a key's public half, to give to others",
		Long:    "Show prints the public half of a key of yours, by default of the one that signs. The secret is never shown." + exits("0  shown", "127  there is no such key", "125  our own error"),
		Example: "  carrel keys show\n  carrel keys show ed25519:0123456789abcdef0123456789abcdef",
		Args:    atMost("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			list, err := keys.At(h.Keys).List()
			if err != nil {
				return err
			}
			for _, key := range list {
				if len(args) == 0 && key.Current || len(args) > 0 && key.ID.String() == args[0] {
					return printKey(cmd, out, key)
				}
			}
			if len(args) == 0 {
				return failf(exitNotFound, "you have no key yet: carrel keys create makes one")
			}
			return failf(exitNotFound, "%s: you have no such key; carrel keys list shows those you have", args[0])
		},
	}
	out.flag(cmd)
	return cmd
}
