package posix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scratch is a program with one writable directory in memory, descriptor 3.
func scratch(t testing.TB) *program {
	t.Helper()
	return start(t, Config{Mounts: []Mount{{Guest: "/w", Writable: true}}})
}

func TestPaths(t *testing.T) {
	p := scratch(t)
	p.mkdir(3, "dir")
	p.mkdir(3, "dir/nested")
	p.file(3, "dir/nested/file", "x")
	p.symlink(3, "nested", "dir/link")
	p.symlink(3, "../..", "dir/up2")
	p.symlink(3, "loop2", "loop1")
	p.symlink(3, "loop1", "loop2")
	p.symlink(3, "dir/nested/file", "tofile")
	p.symlink(3, "absent", "dangling")
	p.symlink(3, "dir/nested/", "slashed")
	p.symlink(3, strings.Repeat("./", 2000)+"dir", "long")
	deep := ""
	for i := range LinksMax + 1 {
		p.symlink(3, cmpOr(deep, "dir"), fmt.Sprintf("chain%d", i))
		deep = fmt.Sprintf("chain%d", i)
	}
	for _, tt := range []struct {
		path   string
		follow uint64
		want   Errno
	}{
		{"dir/nested/file", 0, 0},
		{"/dir/nested/file", 0, EPERM},
		{"dir/.//nested/../../dir/nested/../nested///./file", 0, 0},
		{"dir/nested/file\x00", 0, EINVAL},
		{"dir/nested/\xff", 0, EILSEQ},
		{"dir/nested/file/", 0, ENOTDIR},
		{"dir/nested/file///", 1, ENOTDIR},
		{"dir/nested/", 0, 0},
		{"dir/nested///", 0, 0},
		{"dir/nested/../../../w/dir", 0, EPERM},
		{"..", 0, EPERM},
		{".", 0, 0},
		{"./", 0, 0},
		{"dir/..", 0, 0},
		{"", 0, ENOENT},
		{"dir/nested/file/x", 0, ENOTDIR},
		{"dir/absent", 0, ENOENT},
		{"dir/absent/..", 0, ENOENT},
		{"dir/link/file", 0, 0},
		{"dir/link/", 0, 0},
		{"dir/link/../nested/file", 0, 0},
		{"dir/up2", 1, EPERM},
		{"dir/up2", 0, 0},
		{"loop1", 1, ELOOP},
		{"loop1", 0, 0},
		{"loop1/", 0, ELOOP},
		{"tofile", 1, 0},
		{"tofile/", 1, ENOTDIR},
		{"dangling", 1, ENOENT},
		{"dangling", 0, 0},
		{"slashed/file", 1, 0},
		{"slashed", 1, 0},
		{"long/nested", 1, 0},
		{"chain39", 1, 0},
		{"chain40", 1, ELOOP},
		{strings.Repeat("n", 255), 0, ENOENT},
		{strings.Repeat("n", 256), 0, ENAMETOOLONG},
		{strings.Repeat("./", 2048), 0, 0},
		{strings.Repeat("./", 2048) + "x", 0, ENAMETOOLONG},
	} {
		if _, got := p.stat(3, tt.path, tt.follow); got != tt.want {
			t.Errorf("stat %.40q follow %d: %v, want %v", tt.path, tt.follow, got, tt.want)
		}
	}
	// A directory is a sandbox of its own.
	fd := p.open(3, "dir", openDirectory)
	if _, got := p.stat(fd, "../dir", 0); got != EPERM {
		t.Errorf("out of a directory: %v", got)
	}
	if _, got := p.stat(fd, "link/file", 0); got != 0 {
		t.Errorf("link in a directory: %v", got)
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestOpen(t *testing.T) {
	const c, d, x, tr = openCreate, openDirectory, openExclusive, openTruncate
	r, w := uint64(rightFdRead), uint64(rightFdWrite)
	for _, tt := range []struct {
		path              string
		follow, how, base uint64
		want              Errno
	}{
		{"file", 0, 0, r, 0},
		{"file", 0, c, w, 0},
		{"file", 0, c | x, w, EEXIST},
		{"file", 0, d, r, ENOTDIR},
		{"file/", 0, 0, r, ENOTDIR},
		{"file", 0, tr, 0, 0},
		{"new", 0, 0, r, ENOENT},
		{"new", 0, c, r, 0},
		{"new", 0, c | x, r, 0},
		{"new/", 0, c, r, EISDIR},
		{"no/new", 0, c, r, ENOENT},
		{"new", 0, c | d, r, EINVAL},
		{"new", 0, 16, r, EINVAL},
		{"dir", 0, 0, r, 0},
		{"dir", 0, d, r | w, 0},
		{"dir", 0, 0, w, EISDIR},
		{"dir", 0, c, r, EISDIR},
		{"dir", 0, c | x, r, EEXIST},
		{"dir", 0, tr | d, r, EISDIR},
		{"link", 0, 0, r, ELOOP},
		{"link", 0, d, r, ELOOP},
		{"link", 1, 0, r, 0},
		{"link", 1, c | x, r, EEXIST},
		{"dangling", 1, c, r, 0},
		{"dangling", 1, 0, r, ENOENT},
		{"dangling", 1, c | x, r, EEXIST},
		{"out", 1, c, r, EPERM},
		{".", 0, d, r, 0},
		{".", 0, c, r, EISDIR},
	} {
		p := scratch(t)
		p.file(3, "file", "content")
		p.mkdir(3, "dir")
		p.symlink(3, "file", "link")
		p.symlink(3, "made", "dangling")
		p.symlink(3, "../x", "out")
		if _, got := p.tryOpen(3, tt.path, tt.follow, tt.how, tt.base, 0); got != tt.want {
			t.Errorf("open %q follow %d how %b base %b: %v, want %v", tt.path, tt.follow, tt.how, tt.base, got, tt.want)
		}
		if _, got := p.stat(3, "made", 0); (got == 0) != (tt.path == "dangling" && tt.want == 0) {
			t.Errorf("open %q: made is %v", tt.path, got)
		}
	}
}

func TestRename(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     Errno
	}{
		{"file", "new", 0},
		{"file", "file2", 0},
		{"file", "file", 0},
		{"file", "hard", 0},
		{"file", "empty", EISDIR},
		{"file", "new/", ENOTDIR},
		{"file", "file2/", ENOTDIR},
		{"file", "no/new", ENOENT},
		{"file", ".", EINVAL},
		{"file/", "new", ENOTDIR},
		{"absent", "new", ENOENT},
		{"empty", "new", 0},
		{"empty/", "new/", 0},
		{"empty", "empty2", 0},
		{"empty", "full", ENOTEMPTY},
		{"empty", "file", ENOTDIR},
		{"full", "empty", 0},
		{"full", "full", 0},
		{"full", "full/in", EINVAL},
		{"full", "full/sub/in", EINVAL},
		{"full", "full/sub", EINVAL},
		{"full/sub", "full", ENOTEMPTY},
		{"full/sub", "sub", 0},
		{".", "new", EINVAL},
		{"full/..", "new", EINVAL},
		{"link", "new", 0},
		{"link", "file", 0},
		{"file", "link", 0},
		{"../x", "new", EPERM},
		{"file", "../x", EPERM},
	} {
		p := scratch(t)
		p.file(3, "file", "1")
		p.file(3, "file2", "22")
		p.mkdir(3, "empty")
		p.mkdir(3, "empty2")
		p.mkdir(3, "full")
		p.mkdir(3, "full/sub")
		p.symlink(3, "full", "link")
		p.want(0, "path_link", p.link(3, "file", "hard")...)
		before, inodes := p.tree(3), p.s.inodes
		if got := p.rename(3, tt.from, tt.to); got != tt.want {
			t.Errorf("rename %s to %s: %v, want %v", tt.from, tt.to, got, tt.want)
		}
		after := p.tree(3)
		if tt.want != 0 && !slices.Equal(before, after) {
			t.Errorf("rename %s to %s failed and changed the tree:\n%s", tt.from, tt.to, cmp.Diff(before, after))
		}
		p.removeAll(3)
		if p.s.inodes != 1 || p.s.total != 0 {
			t.Errorf("rename %s to %s: %d inodes of %d and %d bytes are left", tt.from, tt.to, p.s.inodes, inodes, p.s.total)
		}
	}
}

// link gives the arguments of path_link.
func (p *program) link(dir uint64, from, to string) []uint64 {
	a, an := p.put(from)
	b, bn := p.put(to)
	return []uint64{dir, 0, a, an, dir, b, bn}
}

// tree lists everything below a directory.
func (p *program) tree(dir uint64) []string {
	var all []string
	for _, name := range p.names(dir, 512)[2:] {
		st, _ := p.stat(dir, name, 0)
		all = append(all, fmt.Sprintf("%s %d %d", name, st.filetype, st.size))
		if st.filetype == 3 {
			fd := p.open(dir, name, openDirectory)
			for _, inner := range p.tree(fd) {
				all = append(all, name+"/"+inner)
			}
			p.close(fd)
		}
	}
	return all
}

func (p *program) removeAll(dir uint64) {
	for _, name := range p.names(dir, 512)[2:] {
		if st, _ := p.stat(dir, name, 0); st.filetype == 3 {
			fd := p.open(dir, name, openDirectory)
			p.removeAll(fd)
			p.close(fd)
			p.rmdir(dir, name)
		} else {
			p.unlink(dir, name)
		}
	}
}

func TestRemove(t *testing.T) {
	p := scratch(t)
	p.mkdir(3, "dir")
	p.mkdir(3, "dir/sub")
	p.file(3, "file", "x")
	p.symlink(3, "dir", "link")
	for _, tt := range []struct {
		call, path string
		want       Errno
	}{
		{"unlink", "dir", EISDIR}, {"unlink", "dir/", EISDIR}, {"unlink", "file/", ENOTDIR}, {"unlink", "absent", ENOENT},
		{"unlink", ".", EINVAL}, {"unlink", "..", EPERM},
		{"rmdir", "dir", ENOTEMPTY}, {"rmdir", "file", ENOTDIR}, {"rmdir", "file/", ENOTDIR}, {"rmdir", "link", ENOTDIR},
		{"rmdir", "absent", ENOENT}, {"rmdir", ".", EINVAL}, {"rmdir", "dir/sub/..", EINVAL},
		{"rmdir", "dir/sub/", 0}, {"rmdir", "dir", 0}, {"unlink", "link", 0}, {"unlink", "file", 0}, {"unlink", "file", ENOENT},
	} {
		do := p.unlink
		if tt.call == "rmdir" {
			do = p.rmdir
		}
		if got := do(3, tt.path); got != tt.want {
			t.Errorf("%s %s: %v, want %v", tt.call, tt.path, got, tt.want)
		}
	}
}

// What is removed while open lives on until it is closed.
func TestRemoveWhileOpen(t *testing.T) {
	p := scratch(t)
	fd := p.open(3, "file", openCreate)
	p.mkdir(3, "dir")
	dir := p.open(3, "dir", openDirectory)
	p.unlink(3, "file")
	p.rmdir(3, "dir")
	p.write(fd, "still here")
	p.want(0, "fd_seek", fd, 0, seekStart, uint64(p.alloc(8)))
	if got := p.read(fd, 100); got != "still here" {
		t.Errorf("read %q", got)
	}
	out := p.alloc(64)
	p.want(0, "fd_filestat_get", fd, uint64(out))
	if links := le.Uint64(p.memory[out+24:]); links != 0 {
		t.Errorf("%d links", links)
	}
	if _, errno := p.tryOpen(dir, "new", 0, openCreate, all, 0); errno != ENOENT {
		t.Errorf("made a file in a removed directory: %v", errno)
	}
	if names := p.names(dir, 512); !slices.Equal(names, []string{".", ".."}) {
		t.Errorf("removed directory has %q", names)
	}
	if p.s.inodes != 3 || p.s.total != 10 {
		t.Errorf("%d inodes, %d bytes", p.s.inodes, p.s.total)
	}
	p.close(fd)
	p.close(dir)
	if p.s.inodes != 1 || p.s.total != 0 {
		t.Errorf("%d inodes, %d bytes after closing", p.s.inodes, p.s.total)
	}
}

func TestLinks(t *testing.T) {
	p := scratch(t)
	p.file(3, "file", "one")
	p.mkdir(3, "dir")
	p.symlink(3, "file", "sym")
	p.symlink(3, "nothing", "dangling")
	link := func(follow uint64, from, to string) Errno {
		args := p.link(3, from, to)
		args[1] = follow
		return p.call("path_link", args...)
	}
	for _, tt := range []struct {
		follow   uint64
		from, to string
		want     Errno
	}{
		{0, "file", "hard", 0}, {0, "file", "hard", EEXIST}, {0, "file", "file", EEXIST}, {0, "file", "dir", EEXIST},
		{0, "dir", "dir2", EPERM}, {0, "file", "new/", ENOENT}, {0, "absent", "new", ENOENT}, {0, "dangling", "d2", 0},
		{1, "dangling", "d3", ENOENT}, {1, "sym", "followed", 0}, {0, "file", "dangling", EEXIST}, {0, "file", "no/new", ENOENT},
	} {
		if got := link(tt.follow, tt.from, tt.to); got != tt.want {
			t.Errorf("link %s %s: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
	a, _ := p.stat(3, "file", 0)
	b, _ := p.stat(3, "hard", 0)
	if a != b || a.links != 3 {
		t.Errorf("%+v and %+v", a, b)
	}
	fd := p.open(3, "hard", openCreate|openTruncate)
	p.write(fd, "three")
	if got := p.text(3, "followed"); got != "three" {
		t.Errorf("read %q", got)
	}
	for _, tt := range []struct {
		target, path string
		want         Errno
	}{
		{"x", "s1", 0}, {"x", "s1", EEXIST}, {"x", "s2/", ENOENT}, {"x", "dir/", EEXIST}, {"x", "file/", ENOTDIR},
		{"/abs", "s3", EPERM}, {"", "s4", ENOENT}, {"\xff", "s5", EILSEQ}, {"../../x", "s6", 0},
	} {
		if got := p.symlink(3, tt.target, tt.path); got != tt.want {
			t.Errorf("symlink %q %s: %v, want %v", tt.target, tt.path, got, tt.want)
		}
	}
	at, n := p.put("s6")
	buffer, out := p.alloc(16), p.alloc(4)
	p.want(0, "path_readlink", 3, at, n, uint64(buffer), 4, uint64(out))
	if got := string(p.memory[buffer : buffer+le.Uint32(p.memory[out:])]); got != "../." {
		t.Errorf("readlink cut to %q", got)
	}
	at, n = p.put("file")
	p.want(EINVAL, "path_readlink", 3, at, n, uint64(buffer), 4, uint64(out))
}

func TestSeekReadWrite(t *testing.T) {
	p := scratch(t)
	fd := p.open(3, "file", openCreate)
	p.write(fd, "0123456789")
	seek := func(by int64, whence uint64) (uint64, Errno) {
		out := p.alloc(8)
		errno := p.call("fd_seek", fd, uint64(by), whence, uint64(out))
		return le.Uint64(p.memory[out:]), errno
	}
	for _, tt := range []struct {
		by     int64
		whence uint64
		at     uint64
		want   Errno
	}{
		{0, seekCurrent, 10, 0}, {-3, seekEnd, 7, 0}, {2, seekCurrent, 9, 0}, {-10, seekCurrent, 0, EINVAL},
		{0, 3, 0, EINVAL}, {100, seekEnd, 110, 0}, {1<<63 - 1, seekCurrent, 0, EOVERFLOW}, {4, seekStart, 4, 0},
	} {
		if at, got := seek(tt.by, tt.whence); got != tt.want || got == 0 && at != tt.at {
			t.Errorf("seek %d from %d: %d %v", tt.by, tt.whence, at, got)
		}
	}
	if got := p.read(fd, 3); got != "456" {
		t.Errorf("read %q", got)
	}
	// Positioned reads and writes leave the offset alone.
	iov, n := p.iovec(p.put("AB"))
	p.want(0, "fd_pwrite", fd, iov, n, 12, uint64(p.alloc(4)))
	if got := p.read(fd, 100); got != "789\x00\x00AB" {
		t.Errorf("read %q", got)
	}
	if got := p.read(fd, 100); got != "" {
		t.Errorf("read %q at the end", got)
	}
	p.want(0, "fd_filestat_set_size", fd, 2)
	p.want(0, "fd_allocate", fd, 1, 3)
	p.want(0, "fd_allocate", fd, 0, 1)
	p.want(EINVAL, "fd_allocate", fd, 0, 0)
	if got := p.text(3, "file"); got != "01\x00\x00" {
		t.Errorf("read %q", got)
	}
	// Appending goes to the end, wherever the offset is.
	app, errno := p.tryOpen(3, "file", 0, 0, all, flagAppend)
	if errno != 0 {
		t.Fatal(errno)
	}
	p.want(0, "fd_seek", app, 0, seekStart, uint64(p.alloc(8)))
	p.write(app, "end")
	if got := p.text(3, "file"); got != "01\x00\x00end" {
		t.Errorf("read %q", got)
	}
	// The limits of a file.
	p.want(EFBIG, "fd_filestat_set_size", fd, FileBytesMax+1)
	p.want(EFBIG, "fd_allocate", fd, 1<<62, 1)
	p.want(EINVAL, "fd_allocate", fd, 1<<63, 1)
	p.want(EFBIG, "fd_pwrite", fd, iov, n, FileBytesMax-1, uint64(p.alloc(4)))
	p.want(EFBIG, "fd_pwrite", fd, iov, n, 1<<62, uint64(p.alloc(4)))
	p.want(EINVAL, "fd_pwrite", fd, iov, n, 1<<63, uint64(p.alloc(4)))
	p.want(EINVAL, "fd_pread", fd, iov, n, 1<<63, uint64(p.alloc(4)))
}

func TestDirectoryDescriptor(t *testing.T) {
	p := scratch(t)
	iov, n := p.iovec(uint64(p.alloc(8)), 8)
	out := uint64(p.alloc(8))
	for name, args := range map[string][]uint64{
		"fd_read": {3, iov, n, out}, "fd_pread": {3, iov, n, 0, out}, "fd_write": {3, iov, n, out},
		"fd_pwrite": {3, iov, n, 0, out}, "fd_seek": {3, 0, 0, out}, "fd_tell": {3, out}, "fd_allocate": {3, 0, 1},
		"fd_filestat_set_size": {3, 0}, "fd_advise": {3, 0, 0, 0},
	} {
		if got := p.call(name, args...); got != EISDIR {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReaddir(t *testing.T) {
	p := scratch(t)
	want := []string{".", ".."}
	for i := range 100 {
		name := fmt.Sprintf("file.%02d", 99-i)
		p.file(3, name, "")
		want = append(want, name)
	}
	slices.Sort(want)
	for _, size := range []int{40, 100, 256, 1 << 15} {
		if got := p.names(3, size); !slices.Equal(got, want) {
			t.Errorf("buffer of %d: %q", size, got)
		}
	}
	// Removing and adding while reading: nothing is met twice or missed.
	var got []string
	cookie, buffer, out := uint64(0), p.alloc(direntBytes+7), uint64(p.alloc(4))
	for i := 0; ; i++ {
		p.want(0, "fd_readdir", 3, uint64(buffer), direntBytes+7, cookie, out)
		if le.Uint32(p.memory[out:]) == 0 {
			break
		}
		b := p.memory[buffer:]
		cookie = le.Uint64(b)
		name := string(b[direntBytes : direntBytes+min(7, le.Uint32(b[16:]))])
		got = append(got, name)
		if i > 1 {
			p.unlink(3, name)
			p.file(3, fmt.Sprintf("a%d", i), "")
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("reading and removing: %q", got)
	}
	// One that is removed before it is reached is not met.
	p = scratch(t)
	p.file(3, "one", "")
	p.file(3, "two", "")
	p.want(0, "fd_readdir", 3, uint64(buffer), direntBytes, 0, out)
	p.unlink(3, "one")
	p.file(3, "new", "")
	p.want(0, "fd_readdir", 3, uint64(buffer), 1<<12, 2, out)
	rest := p.memory[buffer : uint32(buffer)+le.Uint32(p.memory[out:])]
	if len(rest) != direntBytes+3 || string(rest[direntBytes:]) != "two" || le.Uint64(rest) != 4 {
		t.Errorf("after a removal: %q", rest)
	}
	p.want(0, "fd_readdir", 3, uint64(buffer), 31, 1<<63, out)
	if le.Uint32(p.memory[out:]) != 0 {
		t.Error("entries at a cookie that was never given")
	}
}

func TestRights(t *testing.T) {
	p := scratch(t)
	p.file(3, "file", "content")
	iov, n := p.iovec(uint64(p.alloc(8)), 8)
	out := uint64(p.alloc(64))
	rightsOf := func(fd uint64) (rights, rights) {
		p.want(0, "fd_fdstat_get", fd, out)
		return rights(le.Uint64(p.memory[out+8:])), rights(le.Uint64(p.memory[out+16:]))
	}
	if base, inheriting := rightsOf(3); base != rightsDir || inheriting != rightsDir|rightsFile {
		t.Errorf("preopen has %b %b", base, inheriting)
	}
	fd, _ := p.tryOpen(3, "file", 0, 0, uint64(rightFdRead|rightFdSeek|rightPathOpen), 0)
	if base, inheriting := rightsOf(fd); base != rightFdRead|rightFdSeek || inheriting != 0 {
		t.Errorf("file has %b %b", base, inheriting)
	}
	p.want(ENOTCAPABLE, "fd_write", fd, iov, n, out)
	p.want(ENOTCAPABLE, "fd_fdstat_set_rights", fd, all, 0)
	p.want(0, "fd_fdstat_set_rights", fd, uint64(rightFdSeek), 0)
	p.want(ENOTCAPABLE, "fd_read", fd, iov, n, out)
	p.want(ENOTCAPABLE, "fd_fdstat_set_rights", fd, uint64(rightFdRead|rightFdSeek), 0)
	p.want(0, "fd_seek", fd, 0, seekCurrent, out)

	// What a directory does not pass on cannot be had through it.
	p.mkdir(3, "dir")
	p.file(3, "dir/file", "content")
	at, length := p.put("dir")
	p.want(0, "path_open", 3, 0, at, length, openDirectory, uint64(rightPathOpen), uint64(rightFdRead), 0, out)
	dir := uint64(le.Uint32(p.memory[out:]))
	inner, _ := p.tryOpen(dir, "file", 0, 0, all, 0)
	if base, _ := rightsOf(inner); base != rightFdRead {
		t.Errorf("inner file has %b", base)
	}
	for _, tt := range []struct {
		call string
		args []uint64
	}{
		{"path_create_directory", []uint64{dir, at, length}},
		{"path_filestat_get", []uint64{dir, 0, at, length, out}},
		{"path_filestat_set_times", []uint64{dir, 0, at, length, 0, 0, 0}},
		{"path_link", []uint64{dir, 0, at, length, 3, at, length}},
		{"path_link", []uint64{3, 0, at, length, dir, at, length}},
		{"path_open", []uint64{dir, 0, at, length, openCreate, 0, 0, 0, out}},
		{"path_open", []uint64{dir, 0, at, length, openTruncate, 0, 0, 0, out}},
		{"path_open", []uint64{inner, 0, at, length, 0, 0, 0, 0, out}},
		{"path_readlink", []uint64{dir, at, length, at, length, out}},
		{"path_remove_directory", []uint64{dir, at, length}},
		{"path_rename", []uint64{dir, at, length, 3, at, length}},
		{"path_rename", []uint64{3, at, length, dir, at, length}},
		{"path_symlink", []uint64{at, length, dir, at, length}},
		{"path_unlink_file", []uint64{dir, at, length}},
		{"fd_readdir", []uint64{dir, at, length, 0, out}},
		{"fd_filestat_get", []uint64{dir, out}},
		{"fd_filestat_set_times", []uint64{dir, 0, 0, 0}},
		{"fd_fdstat_set_flags", []uint64{dir, 0}},
		{"fd_sync", []uint64{dir}},
		{"fd_datasync", []uint64{dir}},
		{"fd_tell", []uint64{inner, out}},
		{"fd_advise", []uint64{inner, 0, 0, 0}},
		{"fd_allocate", []uint64{inner, 0, 1}},
		{"fd_filestat_set_size", []uint64{inner, 0}},
	} {
		want := ENOTCAPABLE
		if tt.call == "path_open" && tt.args[0] == inner {
			want = ENOTDIR
		}
		if got := p.call(tt.call, tt.args...); got != want {
			t.Errorf("%s %v: %v, want %v", tt.call, tt.args, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	p := start(t, Config{Start: 1000, Mounts: []Mount{{Guest: "/w", Writable: true, Tree: dataTree}, {Guest: "/r", Tree: dataTree}}})
	set := func(dir uint64, path string, atime, mtime, flags uint64) Errno {
		at, n := p.put(path)
		return p.call("path_filestat_set_times", dir, 0, at, n, atime, mtime, flags)
	}
	p.s.time.sleep(500)
	if st, _ := p.stat(3, "a.txt", 0); st.mtime != 1000 || st.atime != 1000 || st.ctime != 1000 {
		t.Errorf("from outside: %+v", st)
	}
	p.file(3, "new", "x")
	if st, _ := p.stat(3, "new", 0); st.mtime != 1500 {
		t.Errorf("new: %+v", st)
	}
	if st, _ := p.stat(3, ".", 0); st.mtime != 1500 {
		t.Errorf("directory: %+v", st)
	}
	p.want(0, "sched_yield")
	for _, tt := range []struct {
		atime, mtime, flags uint64
		want                Errno
	}{
		{7, 8, setAtime | setMtime, 0}, {9, 9, setMtimeNow, 0}, {9, 9, setAtime | setAtimeNow, EINVAL},
		{9, 9, setMtime | setMtimeNow, EINVAL}, {9, 9, 16, EINVAL},
	} {
		if got := set(3, "a.txt", tt.atime, tt.mtime, tt.flags); got != tt.want {
			t.Errorf("set times %b: %v", tt.flags, got)
		}
	}
	if st, _ := p.stat(3, "a.txt", 0); st.atime != 7 || st.mtime != 1500 || st.ctime != 1500 {
		t.Errorf("set: %+v", st)
	}
	if got := set(4, "a.txt", 0, 0, setMtimeNow); got != EROFS {
		t.Errorf("read-only: %v", got)
	}
}
