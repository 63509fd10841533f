package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/program/seal"
	"carrel/store/images"
)

func imageVerify() *cobra.Command {
	var out format
	var all bool
	cmd := &cobra.Command{
		Use:   "verify [flags] IMAGE...",
		Short: "Read images and check all of them against their roots",
		Long: `Verify reads images to their ends and checks that they have the roots that they
should; of an image in the store, also the pages that lie ready to be mapped. Such
pages are thrown away if they are damaged, and made again when they are needed.` + exits(
			"0  all are what they should be",
			"1  some are damaged: which, and what to do",
			"127  there is no such image",
			"125  our own error"),
		Example:           "  carrel image verify a.image 3f9a11\n  carrel image verify --all",
		ValidArgsFunction: completeImages,
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usagef("want IMAGE..., or --all and none")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if all {
				var err error
				if args, err = allImages(); err != nil {
					return err
				}
			}
			line := newProgress(cmd.ErrOrStderr())
			list := []verifiedImage{}
			damaged := false
			var failed error
			for n, name := range args {
				line.say("verify %d of %d: %s", n+1, len(args), name)
				var v verifiedImage
				if v, failed = verifyImage(name); failed != nil {
					break
				}
				list, damaged = append(list, v), damaged || v.Damage != ""
			}
			line.clear()
			if err := errors.Join(printVerified(cmd.OutOrStdout(), list, out), failed); err != nil {
				return err
			}
			if damaged {
				return quit(imagesDamaged)
			}
			return nil
		},
	}
	out.flag(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "verify all images in the store")
	return cmd
}

func allImages() ([]string, error) {
	store, err := openImages()
	if err != nil {
		return nil, err
	}
	roots, err := store.Roots()
	var list []string
	for _, root := range roots {
		list = append(list, seal.Digest(root).String())
	}
	return list, err
}

// A verifiedImage is what carrel image verify says of an image.
type verifiedImage struct {
	Image  string      `json:"image"`
	Root   seal.Digest `json:"root,omitzero"`
	Damage string      `json:"damage,omitempty"`
}

// verifyImage checks an image. The error is for what says nothing about it.
func verifyImage(name string) (verifiedImage, error) {
	v := verifiedImage{Image: name}
	isFile, err := namesFile(name)
	if err != nil {
		return v, err
	}
	if isFile {
		img, err := readImage(name)
		if errors.Is(err, errIsDelta) {
			return v, err
		}
		if err != nil {
			v.Damage = err.Error()
		} else {
			v.Root = img.Root()
		}
		return v, nil
	}
	store, root, err := resolveImage(name)
	if err != nil {
		return v, err
	}
	v.Root = root
	switch err := store.Verify(root); {
	case errors.Is(err, images.ErrMapped):
		v.Damage = err.Error() + "; they are thrown away, and the image itself is good"
		return v, store.Discard(root)
	case errors.Is(err, images.ErrDamaged):
		v.Damage = err.Error()
	case err != nil:
		return v, err
	}
	return v, nil
}

func printVerified(w io.Writer, list []verifiedImage, out format) error {
	if out == jsonFormat {
		return writeJSON(w, list)
	}
	for _, v := range list {
		text := "good     " + v.Root.String()
		if v.Damage != "" {
			text = "damaged  " + v.Damage
		} else if v.Image != v.Root.String() {
			text += "  " + v.Image
		}
		if _, err := fmt.Fprintln(w, plain(text)); err != nil {
			return err
		}
	}
	return nil
}

// A progress is a line on a terminal about what takes longer than a second.
type progress struct {
	w     io.Writer // nil if it is no terminal
	begun time.Time
	shown bool
}

func newProgress(w io.Writer) *progress {
	if !isTerminal(w) {
		w = nil
	}
	return &progress{w: w, begun: time.Now()}
}

func (p *progress) say(format string, args ...any) {
	if p.w != nil && time.Since(p.begun) > time.Second {
		fmt.Fprintf(p.w, "\r\x1b[K%s", plain(fmt.Sprintf(format, args...)))
		p.shown = true
	}
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

func imageGC() *cobra.Command {
	var out format
	var dry bool
	older := age(30 * day)
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove images that were not used for a long time",
		Long: `Gc removes images from this user's store that were not used for a time, unless a
younger one is kept as a delta to them; pages that lie ready to be mapped and were
not used for as long; and what processes that died left behind.` + exits("0  done", "125  our own error"),
		Example: "  carrel image gc --dry-run\n  carrel image gc --older-than 7d",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openImages()
			if err != nil {
				return err
			}
			removed, err := store.GC(time.Duration(older), dry)
			return errors.Join(printRemoved(cmd.OutOrStdout(), removed, dry, out), err)
		},
	}
	out.flag(cmd)
	cmd.Flags().Var(&older, "older-than", "how long an image was not used, with d, h or m")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be removed")
	return cmd
}

type removedFile struct {
	Path  string `json:"path"` // in the store
	Bytes int64  `json:"bytes"`
}

func printRemoved(w io.Writer, list []images.Removal, dry bool, out format) error {
	files, total := []removedFile{}, int64(0)
	for _, r := range list {
		files, total = append(files, removedFile(r)), total+r.Bytes
	}
	if out == jsonFormat {
		return writeJSON(w, struct {
			DryRun  bool          `json:"dryRun"`
			Bytes   int64         `json:"bytes"`
			Removed []removedFile `json:"removed"`
		}{dry, total, files})
	}
	verb := "removed"
	if dry {
		verb = "would remove"
	}
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s %s, %s\n", verb, f.Path, bytesOf(uint64(f.Bytes)))
	}
	noun := "files"
	if len(files) == 1 {
		noun = "file"
	}
	fmt.Fprintf(&b, "%s %d %s, %s\n", verb, len(files), noun, bytesOf(uint64(total)))
	_, err := io.WriteString(w, b.String())
	return err
}

// An age is a flag: a time in whole days, as in 30d, or as in 36h and 90m.
type age time.Duration

const day = 24 * time.Hour

// ageDaysMax is more than any file is old.
const ageDaysMax = 36500

func (a *age) Set(s string) error {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 64)
		if err != nil || n > ageDaysMax {
			return fmt.Errorf("%q is not a number of days up to %dd", s, ageDaysMax)
		}
		*a = age(n) * age(day)
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a time, as in 30d, 36h or 90m", s)
	}
	*a = age(d)
	return nil
}

func (a *age) String() string {
	if d := time.Duration(*a); d%day != 0 {
		return d.String()
	}
	return fmt.Sprintf("%dd", time.Duration(*a)/day)
}

func (a *age) Type() string { return "TIME" }
