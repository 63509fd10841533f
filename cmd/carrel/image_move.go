package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/store/images"
)

func imageExport() *cobra.Command {
	var to, from string
	cmd := &cobra.Command{
		Use:   "export [flags] IMAGE",
		Short: "Write an image to a file",
		Long: `Export writes an image as a file, whole, or as a delta to another one with
--delta-from: who has that one and the delta can import it. Files of images are
described in docs/formats.` + exits("0  written", "127  there is no such image", "125  our own error, or an image is damaged"),
		Example: `  carrel image export -o a.image 3f9a11
  carrel image export --delta-from 3f9a11 -o b.delta 77e0c2`,
		Args:              exactly("IMAGE"),
		ValidArgsFunction: completeImages,
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" && isTerminal(cmd.OutOrStdout()) {
				return usagef("an image is not for a terminal: -o FILE says where to write it")
			}
			img, err := loadImage(args[0])
			if err != nil {
				return err
			}
			write := func(w io.Writer) error { return image.Write(w, img.Image, img.label) }
			if from != "" {
				if write, err = deltaWriter(from, img); err != nil {
					return err
				}
			}
			if to == "" {
				return write(cmd.OutOrStdout())
			}
			return publish(to, write)
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "write to `FILE` (default standard output)")
	cmd.Flags().StringVar(&from, "delta-from", "", "write what differs from this `IMAGE`")
	_ = cmd.RegisterFlagCompletionFunc("delta-from", completeImages)
	return cmd
}

func deltaWriter(from string, img *named) (func(io.Writer) error, error) {
	base, err := loadImage(from)
	if err != nil {
		return nil, fmt.Errorf("--delta-from: %w", err)
	}
	if *base.label != *img.label {
		return nil, errors.New("--delta-from: the images are of different programs or guests, and a delta says nothing of either; write it whole")
	}
	delta, err := image.Diff(base.Image, img.Image)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		_, err := w.Write(delta.Append(nil))
		return err
	}, nil
}

func imageImport() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "import [flags] FILE...",
		Short: "Put images from files into the store",
		Long: `Import checks files of images and keeps them in this user's store. A file is a
whole image, or a delta to an image that is in the store by then: name the files
in the order in which one needs the other. What is in the store already is mended
if it is damaged. The roots are printed.` + exits("0  all of them are in the store", "127  the image that a delta begins at is not in the store", "125  our own error, or a file is none of an image, or damaged; files before it are in the store"),
		Example: "  carrel image import a.image\n  carrel image import a.image b.delta c.delta",
		Args:    atLeast("FILE..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openImages()
			if err != nil {
				return err
			}
			imported := []importedImage{}
			for _, name := range args {
				root, failed := importImage(store, name)
				if err = failed; err != nil {
					break
				}
				imported = append(imported, importedImage{name, root})
			}
			return errors.Join(printImported(cmd.OutOrStdout(), imported, out), err)
		},
	}
	out.flag(cmd)
	return cmd
}

type importedImage struct {
	File string      `json:"file"`
	Root seal.Digest `json:"root"`
}

func printImported(w io.Writer, list []importedImage, out format) error {
	if out == jsonFormat {
		return writeJSON(w, list)
	}
	for _, i := range list {
		if _, err := fmt.Fprintf(w, "%s\n", i.Root); err != nil {
			return err
		}
	}
	return nil
}

// importImage puts the image of a file into the store.
func importImage(store *images.Store, name string) (seal.Digest, error) {
	if isDelta(name) {
		return importDelta(store, name)
	}
	img, err := readImage(name)
	if err != nil {
		return seal.Digest{}, err
	}
	root, err := store.Put(img.Image, img.label)
	if err != nil {
		return root, err
	}
	return root, store.Mend(img.Image, img.label)
}

func importDelta(store *images.Store, name string) (seal.Digest, error) {
	info, err := os.Stat(name)
	if err != nil {
		return seal.Digest{}, err
	}
	if info.Size() > images.DeltaBytesMax {
		return seal.Digest{}, fmt.Errorf("%s has %s, the limit for a delta is %s: import it whole", name, bytesOf(uint64(info.Size())), bytesOf(images.DeltaBytesMax))
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return seal.Digest{}, err
	}
	delta, err := image.ReadDelta(content, image.Limits{})
	if err != nil {
		return seal.Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	before, label, err := store.Get(delta.Before())
	if errors.Is(err, images.ErrNotFound) {
		return seal.Digest{}, failf(exitNotFound, "%s: it begins at %v, which is not in the store: import that first", name, seal.Digest(delta.Before()))
	}
	if err != nil {
		return seal.Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	after, err := delta.Apply(before)
	if err != nil {
		return seal.Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	root, err := store.PutAfter(after, label, before)
	if err != nil {
		return root, err
	}
	return root, store.Mend(after, label)
}
