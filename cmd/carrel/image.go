package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/machine/image"
	"carrel/machine/page"
	"carrel/program/seal"
	"carrel/store/images"
)

func imageCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Show, compare, keep and move images",
		Long: `An image is the whole state of a program that was stopped between calls: carrel
run --image-out writes one, carrel run --from goes on from it. Its root names it.

Where a command takes an IMAGE, that is a file, or the root of one that is kept in
this user's store, or the first digits of it: 6 or more, with or without sha256:.
A file of that name comes first.`,
		Args: cobra.ArbitraryArgs,
		RunE: chooseCommand,
	}
	cmd.AddCommand(imageList(), imageShow(), imageDiff(), imageExport(), imageImport(), imageVerify(), imageGC())
	return cmd
}

// openImages opens this user's store of images.
func openImages() (*images.Store, error) {
	h, err := home.Find()
	if err != nil {
		return nil, err
	}
	return images.Open(h.Images, images.Options{})
}

// A named image is one of the command line.
type named struct {
	*image.Image
	label *image.Label
	bytes int64        // of its file, if it is one
	kept  *images.Info // nil if it is a file
}

// loadImage reads and checks an image: a file, or one of the store.
func loadImage(name string) (*named, error) {
	isFile, err := namesFile(name)
	if err != nil {
		return nil, err
	}
	if isFile {
		return readImage(name)
	}
	store, root, err := resolveImage(name)
	if err != nil {
		return nil, err
	}
	img, label, err := store.Get(root)
	if err != nil {
		return nil, err
	}
	info, err := store.Stat(root)
	if err != nil {
		return nil, err
	}
	return &named{img, label, 0, info}, nil
}

// namesFile reports whether an IMAGE is a file.
func namesFile(name string) (bool, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("%s is a directory, not an image", name)
	}
	return true, nil
}

// resolveImage finds an image in this user's store.
func resolveImage(name string) (*images.Store, page.Hash, error) {
	store, err := openImages()
	if err != nil {
		return nil, page.Hash{}, err
	}
	root, err := store.Resolve(name)
	switch {
	case errors.Is(err, images.ErrNotFound):
		return nil, root, failf(exitNotFound, "%w, and there is no such file; carrel image ls lists what is there", err)
	case errors.Is(err, images.ErrDigits):
		return nil, root, failf(exitNotFound, "%s: there is no such file, and it is %w", name, images.ErrDigits)
	case err != nil:
		return nil, root, err
	}
	return store, root, nil
}

// readImage reads and checks the file of an image.
func readImage(name string) (*named, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	img, label, err := image.Read(file, image.Limits{})
	if errors.Is(err, image.ErrNotImage) && isDelta(name) {
		err = errIsDelta
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return &named{img, label, info.Size(), nil}, nil
}

var errIsDelta = errors.New("it is a delta, not an image; carrel image import makes one of it")

// isDelta reports whether a file begins as a delta does.
func isDelta(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	_, _, err = image.ReadDeltaFrame(file)
	return !errors.Is(err, image.ErrNotDelta)
}

// completeImages completes roots of the store, and names of files.
func completeImages(_ *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
	store, err := openImages()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	list, _ := store.List()
	var found []string
	for _, i := range list {
		digits := hex.EncodeToString(i.Root[:])
		if len(start) <= completionDigits {
			digits = digits[:completionDigits]
		}
		if strings.HasPrefix(digits, start) {
			found = append(found, fmt.Sprintf("%s\t%s %s, %s", digits, plain(i.Guest), i.Program.Short(), timeOf(i.Used)))
		}
	}
	return found, cobra.ShellCompDirectiveDefault
}

// completionDigits is as much of a root as digests show in their short form.
const completionDigits = 12

// timeOf is a time for people, in their time zone.
func timeOf(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

func imageList() *cobra.Command {
	var out format
	var whole bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the images in the store",
		Long: `Ls lists the images that are kept in this user's store: root, program, guest,
memory, size on disk, how each is kept (whole, or as a delta to another) and when
it was last used. It reads no pages: carrel image verify does.` + exits("0  listed", "125  our own error"),
		Example: "  carrel image ls\n  carrel image ls --no-trunc\n  carrel image ls -o json | jq '.[].root'",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openImages()
			if err != nil {
				return err
			}
			list, err := store.List()
			if err != nil {
				return err
			}
			if out == jsonFormat {
				rows := []*keptImage{}
				for _, i := range list {
					rows = append(rows, keptOf(i))
				}
				return writeJSON(cmd.OutOrStdout(), rows)
			}
			return printImages(cmd.OutOrStdout(), list, whole)
		},
	}
	out.flag(cmd)
	cmd.Flags().BoolVar(&whole, "no-trunc", false, "show all digits of digests")
	return cmd
}

func printImages(w io.Writer, list []*images.Info, whole bool) error {
	if len(list) == 0 {
		return nil
	}
	digest := func(d seal.Digest) string {
		if whole {
			return d.String()
		}
		return d.Short()
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "root\tprogram\tguest\tmemory\tsize\tkind\tlast used\n")
	for _, i := range list {
		if i.Damage != nil {
			fmt.Fprintf(t, "%s\t\t\t\t%s\tdamaged\t%s\n", digest(i.Root), bytesOf(uint64(i.Bytes)), timeOf(i.Used))
			continue
		}
		kind := "whole"
		if i.Depth > 0 {
			kind = "delta of " + digest(i.Base)
		}
		fmt.Fprintf(t, "%s\t%s\t%s %d\t%s\t%s\t%s\t%s\n", digest(i.Root), digest(i.Program), plain(i.Guest), i.GuestVersion,
			bytesOf(i.MemoryBytes), bytesOf(uint64(i.Bytes+i.MappedBytes)), kind, timeOf(i.Used))
	}
	return t.Flush()
}

// A headed says what the header of an image says.
type headed struct {
	Root           seal.Digest `json:"root"`
	Program        seal.Digest `json:"program,omitzero"`
	Guest          string      `json:"guest,omitempty"`
	GuestVersion   uint32      `json:"guestVersion,omitempty"`
	MachineVersion uint32      `json:"machineVersion,omitempty"`
	MemoryBytes    uint64      `json:"memoryBytes"`
}

func headOf(root page.Hash, l *image.Label, memory uint64) headed {
	return headed{root, l.Program, l.Guest, l.GuestVersion, l.MachineVersion, memory}
}

// A keptImage says how an image of the store is kept.
type keptImage struct {
	headed
	Bytes       int64       `json:"bytes"`       // of its file
	MappedBytes int64       `json:"mappedBytes"` // of the pages beside it, ready to be mapped
	Kind        string      `json:"kind"`        // whole, delta or damaged
	Base        seal.Digest `json:"base,omitzero"`
	Depth       int         `json:"depth"` // deltas since a whole image
	Used        time.Time   `json:"used"`
	Damage      string      `json:"damage,omitempty"`
}

func keptOf(i *images.Info) *keptImage {
	k := &keptImage{
		headed: headOf(i.Root, &i.Label, i.MemoryBytes), Kind: "whole",
		Bytes: i.Bytes, MappedBytes: i.MappedBytes, Base: i.Base, Depth: i.Depth, Used: i.Used.UTC(),
	}
	if i.Depth > 0 {
		k.Kind = "delta"
	}
	if i.Damage != nil {
		k.Kind, k.Damage = "damaged", i.Damage.Error()
	}
	return k
}
