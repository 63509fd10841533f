package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"carrel/home"
)

func cacheCommand() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show or clear what is kept on this host",
		Long: `Three things are kept: compiled code, which may be deleted at any time and is made
again; blobs, what programs read while a receipt was written, without which those
receipts can no longer be verified here; and images, which carrel image is for.` + exits("0  done", "125  our own error"),
		Example: "  carrel cache\n  carrel cache clear\n  carrel cache clear --blobs",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			var list []kept
			for _, k := range []kept{{Name: "code", Path: h.Code}, {Name: "blobs", Path: h.Blobs}, {Name: "images", Path: h.Images}} {
				if err := k.measure(); err != nil {
					return err
				}
				list = append(list, k)
			}
			if out == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			for _, k := range list {
				fmt.Fprintf(t, "%s\t%s\t%d files\t%s\n", k.Name, bytesOf(k.Bytes), k.Files, k.Path)
			}
			return t.Flush()
		},
	}
	out.flag(cmd)
	cmd.AddCommand(cacheClear())
	return cmd
}

// kept is one of the directories that grow.
type kept struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Bytes uint64 `json:"bytes,string"`
	Files int    `json:"files"`
}

func (k *kept) measure() error {
	return filepath.WalkDir(k.Path, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() {
			k.Bytes += uint64(info.Size())
			k.Files++
		}
		return nil
	})
}

func cacheClear() *cobra.Command {
	var blobs bool
	cmd := &cobra.Command{
		Use:     "clear",
		Short:   "Delete compiled code, and blobs if asked",
		Long:    "Clear deletes compiled code. With --blobs it also deletes what was kept for receipts." + exits("0  done", "125  our own error"),
		Example: "  carrel cache clear",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			err = os.RemoveAll(h.Code)
			if blobs {
				err = errors.Join(err, os.RemoveAll(h.Blobs))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&blobs, "blobs", false, "also delete what was kept so that receipts can be verified")
	return cmd
}
