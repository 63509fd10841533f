package posix

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/guest/posix/tar"
)

// brokenTree is a host that fails.
type brokenTree struct{}

var errBroken = errors.New("disk on fire")

func (brokenTree) Stat(string) (Kind, int64, error)   { return 0, 0, errBroken }
func (brokenTree) List(string, int) ([]Entry, error)  { return nil, errBroken }
func (brokenTree) Link(string) (string, error)        { return "", errBroken }
func (brokenTree) Read(string, int64) ([]byte, error) { return nil, errBroken }

// logTree notes what is looked at.
type logTree struct {
	Tree
	log *[]string
}

func (l logTree) Stat(name string) (Kind, int64, error) {
	*l.log = append(*l.log, "stat "+name)
	return l.Tree.Stat(name)
}

func (l logTree) List(name string, limit int) ([]Entry, error) {
	*l.log = append(*l.log, "list "+name)
	return l.Tree.List(name, limit)
}

func (l logTree) Link(name string) (string, error) {
	*l.log = append(*l.log, "link "+name)
	return l.Tree.Link(name)
}

func (l logTree) Read(name string, size int64) ([]byte, error) {
	*l.log = append(*l.log, "read "+name)
	return l.Tree.Read(name, size)
}

// The host is touched only where the program looks, and only once.
func TestLazy(t *testing.T) {
	var log []string
	p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: logTree{dataTree, &log}}}})
	fd := p.open(3, "sub/b.txt", 0)
	p.stat(3, "sub/b.txt", 0)
	p.stat(3, "absent", 0)
	p.stat(3, "absent", 0)
	p.read(fd, 2)
	p.read(fd, 2)
	p.text(3, "to-b")
	p.names(3, 1000)
	p.names(3, 1000)
	p.stat(3, "absent2", 0)
	p.stat(3, "unread", 0)
	want := []string{"stat .", "stat sub", "stat sub/b.txt", "stat absent", "read sub/b.txt", "stat to-b", "link to-b", "list .", "stat unread"}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Error(diff)
	}
}

// Inode numbers come from the order in which a program meets things.
func TestInodes(t *testing.T) {
	numbers := func(tree Tree) []uint64 {
		p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: tree}, {Guest: "/w", Writable: true}}})
		var all []uint64
		add := func(dir uint64, path string) {
			st, _ := p.stat(dir, path, 0)
			all = append(all, st.number)
		}
		add(3, "unread")
		p.names(3, 1000)
		for _, name := range []string{"a.txt", "out", "sub", "to-b", "sub/b.txt"} {
			add(3, name)
		}
		p.file(4, "new", "")
		add(4, "new")
		return all
	}
	want := []uint64{3, 4, 5, 6, 7, 8, 9}
	if got := numbers(dataTree); !slices.Equal(got, want) {
		t.Errorf("numbers %d, want %d", got, want)
	}
}

func TestHostErrors(t *testing.T) {
	shrunk := fakeTree{"f": "12345", "d/": "", "socket": "socket"}
	for name, tt := range map[string]struct {
		tree Tree
		do   func(p *program) error
		want any
	}{
		"stat fails": {failing{shrunk, "stat f"}, func(p *program) error { return p.path("path_filestat_get", "f") }, errBroken},
		"list fails": {failing{shrunk, "list ."}, func(p *program) error { return p.path("fd_readdir", "") }, errBroken},
		"read fails": {failing{shrunk, "read f"}, func(p *program) error { return p.path("read", "f") }, errBroken},
		"size":       {wrongSize{shrunk}, func(p *program) error { return p.path("read", "f") }, &ChangedError{}},
	} {
		p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: tt.tree}}})
		err := tt.do(p)
		if want, is := tt.want.(error); is && !errors.Is(err, want) && !errors.As(err, new(*ChangedError)) {
			t.Errorf("%s: %v", name, err)
		}
		if p.s.Err() == nil {
			t.Errorf("%s: not remembered", name)
		}
	}
	// What cannot be opened can be seen.
	p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: shrunk}}})
	if st, errno := p.stat(3, "socket", 0); errno != 0 || st.filetype != 0 {
		t.Errorf("socket: %+v %v", st, errno)
	}
	if _, errno := p.tryOpen(3, "socket", 0, 0, uint64(rightFdRead), 0); errno != ENOTSUP {
		t.Errorf("open socket: %v", errno)
	}
	if p.s.Err() != nil {
		t.Error(p.s.Err())
	}
}

// path makes a call that may end the program.
func (p *program) path(name, path string) error {
	at, n := p.put(path)
	var err error
	switch name {
	case "path_filestat_get":
		_, err = p.raw(name, 3, 0, at, n, uint64(p.alloc(64)))
	case "fd_readdir":
		_, err = p.raw(name, 3, uint64(p.alloc(64)), 64, 0, uint64(p.alloc(4)))
	case "read":
		fd := p.open(3, path, 0)
		iov, count := p.iovec(uint64(p.alloc(64)), 64)
		_, err = p.raw("fd_read", fd, iov, count, uint64(p.alloc(4)))
	}
	return err
}

// failing fails at one act.
type failing struct {
	Tree
	at string
}

func (f failing) Stat(name string) (Kind, int64, error) {
	if f.at == "stat "+name {
		return 0, 0, errBroken
	}
	return f.Tree.Stat(name)
}

func (f failing) List(name string, limit int) ([]Entry, error) {
	if f.at == "list "+name {
		return nil, errBroken
	}
	return f.Tree.List(name, limit)
}

func (f failing) Read(name string, size int64) ([]byte, error) {
	if f.at == "read "+name {
		return nil, errBroken
	}
	return f.Tree.Read(name, size)
}

type wrongSize struct{ Tree }

func (w wrongSize) Read(name string, size int64) ([]byte, error) { return []byte("123"), nil }

// A directory that changes between two looks is noticed.
func TestChangedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(fakeTree){
		"came": func(f fakeTree) { f["absent"] = "now" },
		"went": func(f fakeTree) { delete(f, "f") },
		"kind": func(f fakeTree) { f["f"] = "->x" },
	} {
		tree := fakeTree{"f": "1", "g": "2"}
		p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: tree}}})
		p.stat(3, "f", 0)
		p.stat(3, "absent", 0)
		change(tree)
		if err := p.path("fd_readdir", ""); !errors.As(err, new(*ChangedError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tree := fakeTree{"f": "1"}
	p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: tree}}})
	p.names(3, 100)
	delete(tree, "f")
	if err := p.path("path_filestat_get", "f"); !errors.As(err, new(*ChangedError)) {
		t.Errorf("listed, then gone: %v", err)
	}
	tree = fakeTree{"f": "1"}
	p = start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: tree}}})
	p.names(3, 100)
	tree["f"] = "->x"
	if err := p.path("path_filestat_get", "f"); !errors.As(err, new(*ChangedError)) {
		t.Errorf("listed, then a link: %v", err)
	}
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"\xff", "", ".", "..", "a/b", "a\x00", strings.Repeat("x", 256)} {
		p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: oneEntry{fakeTree{}, []string{name}}}}})
		if err := p.path("fd_readdir", ""); err == nil {
			t.Errorf("a directory with %.10q was listed", name)
		}
	}
	p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: oneEntry{fakeTree{}, []string{"a", "a"}}}}})
	if err := p.path("fd_readdir", ""); err == nil {
		t.Error("a name that occurs twice was listed")
	}
}

type oneEntry struct {
	Tree
	names []string
}

func (o oneEntry) List(string, int) ([]Entry, error) {
	var entries []Entry
	for _, name := range o.names {
		entries = append(entries, Entry{Name: name, Kind: File})
	}
	return entries, nil
}

// A tree of one file.
type fileTree string

func (f fileTree) Stat(name string) (Kind, int64, error) {
	if name == "." {
		return File, int64(len(f)), nil
	}
	return 0, 0, fs.ErrNotExist
}
func (f fileTree) List(string, int) ([]Entry, error)  { return nil, errBroken }
func (f fileTree) Link(string) (string, error)        { return "", errBroken }
func (f fileTree) Read(string, int64) ([]byte, error) { return []byte(f), nil }

func TestMounts(t *testing.T) {
	p := start(t, Config{Mounts: []Mount{
		{Guest: "/jobs", Writable: true, Tree: fakeTree{"a/": "", "a/x": "x", "f": "f"}},
		{Guest: "/jobs/a/in", Tree: fakeTree{"y": "y"}},
		{Guest: "/jobs/new/deep/in", Writable: true},
		{Guest: "/jobs/a/one", Tree: fileTree("single")},
		{Guest: "/etc/conf", Writable: true, Tree: fileTree("conf")},
		{Guest: "/etc/other", Tree: fileTree("other")},
		{Guest: ".", Tree: fakeTree{"here": "here"}},
		{Guest: "rel/in", Tree: fakeTree{"z": "z"}},
		{Guest: "/tmp", Writable: true},
	}})
	var names []string
	for fd := uint64(3); ; fd++ {
		out := p.alloc(300)
		if p.call("fd_prestat_get", fd, uint64(out)) != 0 {
			break
		}
		n := le.Uint32(p.memory[out+4:])
		p.want(0, "fd_prestat_dir_name", fd, uint64(out), uint64(n))
		names = append(names, string(p.memory[out:out+n]))
	}
	if want := []string{"/jobs", "/jobs/a/in", "/jobs/new/deep/in", "/etc", ".", "rel/in", "/tmp"}; !slices.Equal(names, want) {
		t.Fatalf("preopened %q", names)
	}
	for _, tt := range []struct {
		fd   uint64
		path string
		want string
	}{
		{3, "a/x", "x"}, {3, "a/in/y", "y"}, {4, "y", "y"}, {3, "a/one", "single"}, {6, "conf", "conf"}, {6, "other", "other"},
		{7, "rel/in/z", "z"}, {3, "a/in/../x", "x"},
	} {
		if got := p.text(tt.fd, tt.path); got != tt.want {
			t.Errorf("%d %s: %q", tt.fd, tt.path, got)
		}
	}
	if got := p.tree(3); !slices.Equal(got, []string{"a 3 0", "a/in 3 0", "a/in/y 4 1", "a/one 4 6", "a/x 4 1", "f 4 1", "new 3 0", "new/deep 3 0", "new/deep/in 3 0"}) {
		t.Errorf("tree %q", got)
	}
	for _, tt := range []struct {
		from, to string
		want     Errno
	}{
		{"a/in", "b", EBUSY}, {"a/one", "b", EBUSY}, {"a", "b", EBUSY}, {"new", "b", EBUSY}, {"f", "a/one", EBUSY},
		{"f", "a/in/f", EXDEV}, {"a/in/y", "y", EROFS}, {"f", "new/deep/in/f", EXDEV}, {"f", "new/f", 0},
	} {
		if got := p.rename(3, tt.from, tt.to); got != tt.want {
			t.Errorf("rename %s %s: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
	if got := p.rmdir(3, "a/in"); got != EBUSY {
		t.Errorf("rmdir of a mount point: %v", got)
	}
	p.want(EXDEV, "path_link", p.link(3, "a/x", "new/deep/in/x")...)
	if _, got := p.tryOpen(6, "new", 0, openCreate, all, 0); got != EROFS {
		t.Errorf("made a file beside a mounted one: %v", got)
	}
	fd := p.open(6, "conf", openTruncate)
	p.write(fd, "changed")
	ro, _ := p.tryOpen(6, "other", 0, 0, all&^uint64(rightFdWrite), 0)
	p.want(EROFS, "fd_allocate", ro, 0, 1)
	p.want(EROFS, "fd_filestat_set_size", ro, 0)
	if _, got := p.tryOpen(6, "other", 0, openTruncate, all, 0); got != EROFS {
		t.Errorf("opened a read-only file for writing: %v", got)
	}
	p.file(9, "t", "temporary")
	changes, err := p.s.Changes()
	if err != nil {
		t.Fatal(err)
	}
	want := "change 0 f: file -> absent\nchange 0 new: absent -> dir\nchange 0 new/f: absent -> file \"f\"\n" +
		"change 4 .: file -> file \"changed\"\n"
	if diff := cmp.Diff(want, showChanges(changes)); diff != "" {
		t.Error(diff)
	}
}

// What a program did to a tree comes out as the difference at each path.
func TestChanges(t *testing.T) {
	tree := fakeTree{
		"f": "f", "g": "g", "d/": "", "d/a": "a", "d/sub/": "", "d/sub/b": "b", "e/": "", "l": "->f", "untouched/": "",
		"untouched/x": "x", "s": "socket",
	}
	for name, tt := range map[string]struct {
		do   func(p *program)
		want string // changes; or the error, after "!"
	}{
		"nothing":  {func(p *program) { p.tree(3); p.text(3, "f") }, ""},
		"write":    {func(p *program) { p.file(3, "f", "new") }, "change 0 f: file -> file \"new\"\n"},
		"truncate": {func(p *program) { p.close(p.open(3, "f", openTruncate)) }, "change 0 f: file -> file \"\"\n"},
		"create": {func(p *program) { p.mkdir(3, "n"); p.file(3, "n/f", "x"); p.symlink(3, "../f", "n/l") },
			"change 0 n: absent -> dir\nchange 0 n/f: absent -> file \"x\"\nchange 0 n/l: absent -> link to ../f\n"},
		"made and gone":  {func(p *program) { p.file(3, "n", "x"); p.unlink(3, "n") }, ""},
		"remove":         {func(p *program) { p.unlink(3, "f"); p.rmdir(3, "e") }, "change 0 e: dir -> absent\nchange 0 f: file -> absent\n"},
		"made again":     {func(p *program) { p.unlink(3, "f"); p.file(3, "f", "f") }, "change 0 f: file -> file \"f\"\n"},
		"kind":           {func(p *program) { p.unlink(3, "f"); p.mkdir(3, "f") }, "change 0 f: file -> dir\n"},
		"rename":         {func(p *program) { p.rename(3, "f", "d/f") }, "change 0 d/f: absent -> file \"f\"\nchange 0 f: file -> absent\n"},
		"over":           {func(p *program) { p.rename(3, "f", "g") }, "change 0 f: file -> absent\nchange 0 g: file -> file \"f\"\n"},
		"there and back": {func(p *program) { p.rename(3, "f", "h"); p.rename(3, "h", "f") }, ""},
		"rename a directory": {func(p *program) { p.rename(3, "d", "m") },
			"change 0 d: dir -> absent\nchange 0 d/a: file -> absent\nchange 0 d/sub: dir -> absent\nchange 0 d/sub/b: file -> absent\n" +
				"change 0 m: absent -> dir\nchange 0 m/a: absent -> file \"a\"\nchange 0 m/sub: absent -> dir\nchange 0 m/sub/b: absent -> file \"b\"\n"},
		"hard link":               {func(p *program) { p.call("path_link", p.link(3, "f", "h")...) }, "change 0 h: absent -> file \"f\"\n"},
		"swap":                    {func(p *program) { p.rename(3, "f", "t"); p.rename(3, "g", "f"); p.rename(3, "t", "g") }, "change 0 f: file -> file \"g\"\nchange 0 g: file -> file \"f\"\n"},
		"link moved":              {func(p *program) { p.rename(3, "l", "k") }, "change 0 k: absent -> link to f\nchange 0 l: link -> absent\n"},
		"link out":                {func(p *program) { p.symlink(3, "../x", "n") }, "!write back n: the link leads outside"},
		"link out in a directory": {func(p *program) { p.symlink(3, "../../x", "d/n") }, "!write back d/n: the link leads outside"},
		"link out by a link": {func(p *program) { p.mkdir(3, "q"); p.symlink(3, "..", "q/up"); p.symlink(3, "up/../x", "q/n") },
			"!write back q/n: the link leads outside"},
		"link moved out": {func(p *program) { p.symlink(3, "../f", "d/n"); p.rename(3, "d/n", "n") }, "!write back n: the link leads outside"},
		"link inside":    {func(p *program) { p.symlink(3, "../d/../absent/../f", "d/n") }, "change 0 d/n: absent -> link to ../d/../absent/../f\n"},
		"socket moved":   {func(p *program) { p.rename(3, "s", "t") }, "!write back t: devices, sockets and pipes stay where they are"},
		"socket gone":    {func(p *program) { p.unlink(3, "s") }, "change 0 s: other -> absent\n"},
	} {
		p := start(t, Config{Mounts: []Mount{{Guest: "/w", Writable: true, Tree: tree}}})
		tt.do(p)
		p.s.caller = nil
		changes, err := p.s.Changes()
		got := showChanges(changes)
		if err != nil {
			got = "!" + err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is replayed sees what was seen, and nothing else.
func TestReplay(t *testing.T) {
	blobs := map[string][]byte{}
	config := Config{Mounts: []Mount{{Guest: "/d", Tree: dataTree}}, Blob: func(digest string, content []byte) error {
		blobs[digest] = bytes.Clone(content)
		return nil
	}}
	blob := func(digest string) ([]byte, error) {
		content, ok := blobs[digest]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return content, nil
	}
	p := start(t, config)
	look := func(p *program) {
		p.text(3, "to-b")
		p.stat(3, "absent", 0)
		p.stat(3, "a.txt", 0)
		p.names(p.open(3, "sub", openDirectory), 100)
	}
	look(p)
	observations := p.s.Observations()
	tree, err := Replay(observations, 0, blob)
	if err != nil {
		t.Fatal(err)
	}
	config.Mounts[0].Tree = tree
	r := start(t, config)
	look(r)
	if diff := cmp.Diff(observations, r.s.Observations()); diff != "" {
		t.Error(diff)
	}
	if st, errno := r.stat(3, "sub/absent", 0); errno != ENOENT {
		t.Errorf("absent from a listing: %+v %v", st, errno)
	}
	for name, do := range map[string]func(p *program) error{
		"stat": func(p *program) error { return p.path("path_filestat_get", "unread") },
		"list": func(p *program) error { return p.path("fd_readdir", "") },
		"read": func(p *program) error { return p.path("read", "a.txt") },
	} {
		r := start(t, config)
		err, missing := do(r), (*NotObservedError)(nil)
		if !errors.As(err, &missing) || missing.What != name || !errors.As(r.s.Err(), &missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for digest := range blobs {
		blobs[digest] = []byte("lies")
	}
	r = start(t, config)
	if err := r.path("read", "sub/b.txt"); err == nil {
		t.Error("content with another digest was taken")
	}
}

func TestReplayRefuses(t *testing.T) {
	for name, o := range map[string][]Observation{
		"path":         {{Path: "../x", Kind: File}},
		"absolute":     {{Path: "/x", Kind: File}},
		"kind":         {{Path: "x", Kind: 9}},
		"twice":        {{Path: "x", Kind: File}, {Path: "x", Kind: Dir}},
		"size":         {{Path: "x", Kind: Dir, Size: 4}},
		"negative":     {{Path: "x", Kind: File, Size: -1}},
		"listed file":  {{Path: "x", Kind: File, Listed: true}},
		"not listed":   {{Path: "x", Kind: Dir, Entries: []Entry{{Name: "a", Kind: File}}}},
		"entry":        {{Path: "x", Kind: Dir, Listed: true, Entries: []Entry{{Name: "a/b", Kind: File}}}},
		"order":        {{Path: "x", Kind: Dir, Listed: true, Entries: []Entry{{Name: "b", Kind: File}, {Name: "a", Kind: File}}}},
		"absent entry": {{Path: "x", Kind: Dir, Listed: true, Entries: []Entry{{Name: "b", Kind: Absent}}}},
		"target":       {{Path: "x", Kind: File, Target: "y"}},
	} {
		if _, err := Replay(o, 0, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Replay(o, 1, nil); err != nil {
			t.Errorf("%s: of another mount: %v", name, err)
		}
	}
}

// A tar image is read, changed and written back; what was not changed is the
// same bytes whatever the order of the image was.
func TestTarMount(t *testing.T) {
	var first bytes.Buffer
	files := []Change{{Path: "d", Kind: Dir}, {Path: "d/f", Kind: File, Data: []byte("content")}, {Path: "l", Kind: Link, Target: "d/f"}}
	if err := tar.Write(&first, files); err != nil {
		t.Fatal(err)
	}
	image, err := tar.Open(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, Config{Mounts: []Mount{{Guest: "/t", Writable: true, Tree: image, Digest: digestOf(first.Bytes())}}})
	if got := p.text(3, "l"); got != "content" {
		t.Errorf("read %q", got)
	}
	var same bytes.Buffer
	if err := p.s.WriteTar(0, &same); err != nil || !bytes.Equal(same.Bytes(), first.Bytes()) {
		t.Errorf("written back otherwise: %v", err)
	}
	fd, _ := p.tryOpen(3, "d/f", 0, 0, all, 0)
	p.write(fd, "in it")
	if again := p.text(3, "d/f"); again != "in itnt" || !bytes.Equal(first.Bytes(), same.Bytes()) {
		t.Errorf("read %q, or the image was written to", again)
	}
	p.file(3, "d/f", "other")
	p.file(3, "a", "first")
	p.unlink(3, "l")
	var changed bytes.Buffer
	if err := p.s.WriteTar(0, &changed); err != nil {
		t.Fatal(err)
	}
	again, err := tar.Open(changed.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	q := start(t, Config{Mounts: []Mount{{Guest: "/t", Tree: again}}})
	if got := fmt.Sprint(q.tree(3), q.text(3, "d/f"), q.text(3, "a")); got != "[a 4 5 d 3 0 d/f 4 5]otherfirst" {
		t.Errorf("got %s", got)
	}
	if len(p.s.Observations()) != 0 {
		t.Errorf("a tree with a digest was observed: %v", p.s.Observations())
	}
}
