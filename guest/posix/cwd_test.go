package posix

import "testing"

// From the working directory, and in the root, paths and links lead everywhere
// that the root has; from any other descriptor they lead nowhere else.
func TestWorkingDirectory(t *testing.T) {
	root := fakeTree{
		"home/": "", "home/me/": "", "home/me/src/": "", "home/me/src/main.c": "main", "home/me/inc/": "", "home/me/inc/x.h": "header",
		"usr/": "", "usr/lib/": "", "usr/lib/a": "library", "lib": "->/usr/lib", "home/me/abs": "->/home/me/inc/x.h",
		"home/me/src/up": "->../../../usr/lib/a", "home/me/src/top": "->/", "home/me/src/out": "->../../../../x",
	}
	p := start(t, Config{Cwd: "/home/me/src", Mounts: []Mount{
		{Guest: "/", Tree: root},
		{Guest: "/out", Writable: true},
	}})
	const top, out, root2, cwd = 3, 4, 5, 6
	for _, tt := range []struct {
		fd   uint64
		path string
		want string
	}{
		{cwd, "main.c", "main"}, {cwd, "./main.c", "main"}, {cwd, "../inc/x.h", "header"}, {cwd, "../abs", "header"},
		{cwd, "../../../usr/lib/a", "library"}, {cwd, "up", "library"}, {cwd, "top/lib/a", "library"}, {cwd, "../../me/src/main.c", "main"},
		{root2, "home/me/abs", "header"}, {top, "home/me/abs", "header"}, {top, "lib/a", "library"}, {top, "home/me/src/top/usr/lib/a", "library"},
	} {
		if got := p.text(tt.fd, tt.path); got != tt.want {
			t.Errorf("%d %s: %q, want %q", tt.fd, tt.path, got, tt.want)
		}
	}
	for _, tt := range []struct {
		fd   uint64
		path string
	}{
		{cwd, "../../../.."}, {cwd, "/home/me/src/main.c"}, {cwd, "out"}, {top, ".."}, {out, ".."}, {out, "../home"},
		{p.open(cwd, "..", openDirectory), "../me/inc/x.h"}, {p.open(cwd, "..", openDirectory), "abs"},
	} {
		if _, errno := p.stat(tt.fd, tt.path, 1); errno != EPERM {
			t.Errorf("%d %s: %v, want EPERM", tt.fd, tt.path, errno)
		}
	}
	a, _ := p.stat(cwd, "../inc/x.h", 0)
	if b, _ := p.stat(root2, "home/me/inc/x.h", 0); a != b {
		t.Errorf("one file by two ways is %+v and %+v", a, b)
	}
	p.file(cwd, "../../../out/new", "made")
	if got := p.text(out, "new"); got != "made" {
		t.Errorf("a file made from the working directory holds %q", got)
	}
}

func TestBadWorkingDirectory(t *testing.T) {
	root := Mount{Guest: "/", Tree: fakeTree{"dir/": "", "file": "x", "link": "->dir"}}
	for name, config := range map[string]Config{
		"no root":        {Cwd: "/dir", Mounts: []Mount{{Guest: "/dir", Tree: root.Tree}}},
		"relative":       {Cwd: "dir", Mounts: []Mount{root}},
		"absent":         {Cwd: "/nothing", Mounts: []Mount{root}},
		"a file":         {Cwd: "/file", Mounts: []Mount{root}},
		"a link":         {Cwd: "/link", Mounts: []Mount{root}},
		"a zero byte":    {Cwd: "/dir\x00", Mounts: []Mount{root}},
		"mounted as dot": {Cwd: "/dir", Mounts: []Mount{root, {Guest: ".", Tree: root.Tree}}},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	if _, err := New(Config{Cwd: "/", Mounts: []Mount{root}}); err != nil {
		t.Errorf("the root itself: %v", err)
	}
}
