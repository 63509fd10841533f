package runner

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"carrel/guest/js"
	"carrel/guest/posix"
	"carrel/guest/zencode"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/turn"
)

const (
	// programBytesMax bounds a program that is replayed; the machine refuses
	// smaller ones.
	programBytesMax = 512 << 20
	// contentBytesMax bounds a tar or file that is replayed.
	contentBytesMax = 2 << 30
)

// A Replayer runs turns again from a receipt, one after the other.
type Replayer struct {
	Load  Load
	Blobs receipt.BlobSource // where the bytes are that the receipt names
	// Secrets, by their names, are those that guests were handed.
	Secrets map[string][]byte

	made made // by turns before, for those after
}

// made are blobs that came out of turns.
type made map[seal.Digest][]byte

// Blob is a receipt.BlobSource.
func (m made) Blob(digest seal.Digest) (io.ReadCloser, error) {
	content, ok := m[digest]
	if !ok {
		return nil, fmt.Errorf("%s: %w", digest, receipt.ErrNoBlob)
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (m made) add(writes []Write) {
	for _, w := range writes {
		if w.Kind == receipt.MountTar {
			m[seal.Sum(w.Tar)] = w.Tar
		}
		for _, c := range w.Changes {
			if c.Kind == posix.File {
				m[seal.Sum(c.Data)] = c.Data
			}
		}
	}
}

// blobs are what there is.
func (r *Replayer) blobs() receipt.BlobSource { return receipt.Sources{r.made, r.Blobs} }

// Run is a receipt.Runner.
func (r *Replayer) Run(ctx context.Context, input *receipt.Input) (*receipt.Result, error) {
	spec, err := r.spec(input)
	if err != nil {
		return nil, err
	}
	stdin := &recorded{}
	if spec.Stdin, err = r.stdin(input, stdin); err != nil {
		return nil, err
	}
	t, err := Run(ctx, r.Load, spec)
	unseen := (*posix.NotObservedError)(nil)
	switch {
	case stdin.overread:
		return nil, &receipt.DivergedError{Field: "stdin", Got: fmt.Sprintf("read on after the %d bytes that it read before", input.Stdin.Size)}
	case errors.As(err, &unseen), t != nil && errors.As(t.Err, &unseen):
		return nil, &receipt.DivergedError{Field: "mount " + input.Mounts[unseen.Mount].Guest + " " + unseen.Path, Got: unseen.What}
	case err != nil:
		return nil, err
	case !t.Outcome.Class.Result():
		text, _, _ := strings.Cut(t.Outcome.Text, "\n") // the rest is a stack trace
		return nil, fmt.Errorf("this host could not run it to its end: %s: %s", t.Outcome.Class, text)
	}
	if err := sameInput(input, t); err != nil {
		return nil, err
	}
	if r.made == nil {
		r.made = made{}
	}
	r.made.add(t.Writes)
	return t.Result()
}

// sameInput checks that the program took from its inputs what the receipt says
// that it took, no more and no less.
func sameInput(input *receipt.Input, t *Turn) error {
	again, err := t.Input()
	if err != nil {
		return err
	}
	for _, d := range receipt.CompareInput(input, again) {
		return &receipt.DivergedError{Field: d.Field, Expected: d.Expected, Got: d.Got}
	}
	return nil
}

// guests are the personalities that there are, and their versions.
var guests = map[string]uint32{posix.Name: posix.Version, js.Name: js.Version, zencode.Name: zencode.Version}

// spec is the run that an input describes, without its standard input.
func (r *Replayer) spec(input *receipt.Input) (*Spec, error) {
	if input.MachineVersion != turn.MachineVersion {
		return nil, fmt.Errorf("it ran on machine version %d, this is version %d", input.MachineVersion, turn.MachineVersion)
	}
	if version, ok := guests[input.Guest.Name]; !ok || input.Guest.Version != version {
		return nil, fmt.Errorf("it ran under guest %s version %d, here are %s version %d, %s version %d and %s version %d",
			input.Guest.Name, input.Guest.Version, posix.Name, posix.Version, js.Name, js.Version, zencode.Name, zencode.Version)
	}
	seed, err := hex.DecodeString(input.Seed)
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	spec := &Spec{
		Args: input.Args, Env: input.Env, Cwd: input.Cwd, Start: input.TimeNS, Seed: seed, Root: true, Lines: input.Stdin.Lines,
		Limits: turn.Limits{Fuel: input.Limits.Fuel, MemoryPages: input.Limits.MemoryPages},
	}
	if input.Clock == receipt.ClockFixed {
		spec.Clock = posix.Fixed
	}
	if err := r.missing(input); err != nil {
		return nil, err
	}
	if spec.Program, err = receipt.ReadBlob(r.blobs(), input.Program, programBytesMax); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if spec.From, err = r.image(input); err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	if input.Call != nil {
		spec.Call = &Call{Export: input.Call.Export, Args: input.Call.Args}
	}
	switch input.Guest.Name {
	case js.Name:
		spec.Script, err = r.script(input)
		return spec, err
	case zencode.Name:
		spec.Zencode, err = r.zencode(input)
		return spec, err
	}
	for n := range input.Mounts {
		m, err := r.mount(input, n)
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", input.Mounts[n].Guest, err)
		}
		spec.Mounts = append(spec.Mounts, m)
	}
	return spec, nil
}

// image is the image that the turn started from, if from one.
func (r *Replayer) image(input *receipt.Input) (*From, error) {
	if input.ImageFile == nil {
		return nil, nil
	}
	file, err := receipt.OpenBlob(r.blobs(), *input.ImageFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	img, _, err := image.Read(file, image.Limits{}) // one above the turn's limit is refused again
	if err != nil {
		return nil, err
	}
	if root := seal.Digest(img.Root()); root != input.ImageBefore {
		return nil, fmt.Errorf("the file holds %v, the turn started from %v", root, input.ImageBefore)
	}
	return &From{Image: img, File: *input.ImageFile}, nil
}

// missing lists all that is not there at once, so that it can be fetched at
// once.
func (r *Replayer) missing(input *receipt.Input) error {
	var missing []string
	roles := roles(input)
	for _, want := range input.Blobs() {
		blob, err := r.blobs().Blob(want.Digest)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s, %d bytes: %s", want.Digest, want.Size, roles[want.Digest]))
			continue
		}
		blob.Close()
	}
	if missing != nil {
		return &receipt.MissingError{Missing: missing}
	}
	return nil
}

// roles says what each blob is to a turn, for people: the first thing that it
// is, if it is several.
func roles(input *receipt.Input) map[seal.Digest]string {
	roles := map[seal.Digest]string{}
	add := func(digest seal.Digest, role string) {
		if _, ok := roles[digest]; !ok {
			roles[digest] = role
		}
	}
	add(input.Program.Digest, "the program")
	if input.ImageFile != nil {
		add(input.ImageFile.Digest, "the image that it started from")
	}
	add(input.Stdin.Digest, "what it read from standard input")
	for _, m := range input.Mounts {
		if m.Content != nil {
			add(m.Content.Digest, "the "+m.Kind+" handed in at "+m.Guest)
		}
		for _, o := range m.Observed {
			if !o.Digest.IsZero() {
				add(o.Digest, "the file "+path.Join(m.Guest, o.Path))
			}
		}
	}
	return roles
}

func (r *Replayer) mount(input *receipt.Input, n int) (Mount, error) {
	from := &input.Mounts[n]
	m := Mount{Guest: from.Guest, Kind: from.Kind, Mode: from.Mode, Content: from.Content}
	switch {
	case m.Content != nil:
		data, err := receipt.ReadBlob(r.blobs(), *m.Content, contentBytesMax)
		if err != nil {
			return m, err
		}
		m.Tree, err = ContentTree(m.Kind, data)
		return m, err
	case m.Kind == receipt.MountTemp || m.Mode == receipt.ModeWO:
		return m, nil
	}
	var err error
	m.Tree, err = posix.Replay(observations(from.Observed, n), n, r.content(from.Observed))
	return m, err
}

// content finds what files of a directory held.
func (r *Replayer) content(observed []receipt.Observation) func(digest string) ([]byte, error) {
	sizes := map[seal.Digest]uint64{}
	for _, o := range observed {
		sizes[o.Digest] = o.Size
	}
	return func(digest string) ([]byte, error) {
		d, err := seal.ParseDigest(digest)
		if err != nil {
			return nil, err
		}
		return receipt.ReadBlob(r.blobs(), receipt.Blob{Digest: d, Size: sizes[d]}, posix.FileBytesMax)
	}
}

var kinds = map[string]posix.Kind{
	receipt.KindAbsent: posix.Absent, receipt.KindFile: posix.File, receipt.KindDir: posix.Dir,
	receipt.KindLink: posix.Link, receipt.KindOther: posix.Other,
}

func observations(seen []receipt.Observation, mount int) []posix.Observation {
	var list []posix.Observation
	for _, o := range seen {
		p := posix.Observation{
			Mount: mount, Path: o.Path, Kind: kinds[o.Kind], Size: int64(o.Size), Target: o.Target, Listed: o.Listed,
		}
		if !o.Digest.IsZero() {
			p.Digest = o.Digest.String()
		}
		for _, e := range o.Entries {
			p.Entries = append(p.Entries, posix.Entry{Name: e.Name, Kind: kinds[e.Kind]})
		}
		list = append(list, p)
	}
	return list
}

// recorded is a standard input as it was: so many bytes, and the end of input
// only if the program met it.
type recorded struct {
	bytes    io.Reader
	end      bool
	overread bool // the program wants more than it took before
}

var errOverread = errors.New("the program reads on where it stopped before")

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.bytes.Read(p)
	if err != io.EOF || n > 0 || r.end || len(p) == 0 {
		return n, err
	}
	r.overread = true
	return 0, errOverread
}

func (r *Replayer) stdin(input *receipt.Input, from *recorded) (io.Reader, error) {
	blob, err := receipt.OpenBlob(r.blobs(), input.Stdin.Blob)
	if err != nil {
		return nil, fmt.Errorf("stdin: %w", err)
	}
	from.bytes, from.end = blob, input.Stdin.End
	return from, nil
}
