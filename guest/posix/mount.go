package posix

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A mount is one of Config.Mounts, or a directory made to hold single files.
type mount struct {
	index    int    // in Config.Mounts; that of the first file for a holder
	at       string // cleaned guest path
	device   uint64
	writable bool
	tree     Tree // nil for memory
	pinned   bool // its content has a digest: nothing is observed
	root     *inode
	observed map[string]*Observation
	adopted  []*inode // everything made from the tree
}

// observe is the observation of a path, made if needed.
func (m *mount) observe(path string, kind Kind) *Observation {
	if m.pinned {
		return &Observation{}
	}
	o, ok := m.observed[path]
	if !ok {
		if m.observed == nil {
			m.observed = map[string]*Observation{}
		}
		o = &Observation{Mount: m.index, Path: path, Kind: kind}
		m.observed[path] = o
	}
	return o
}

// mountAll makes the name space and the descriptors of its top directories.
func (s *System) mountAll() error {
	if len(s.config.Mounts) > MountsMax {
		return fmt.Errorf("mount: %d mounts, the limit is %d", len(s.config.Mounts), MountsMax)
	}
	for i, config := range s.config.Mounts {
		m, err := s.newMount(i, config)
		if err != nil {
			return fmt.Errorf("mount %s: %w", config.Guest, err)
		}
		s.mounts = append(s.mounts, m)
		if m.at == "/" && m.root.kind == Dir {
			s.root = m.root
		}
	}
	for i, m := range s.mounts[:len(s.config.Mounts)] {
		if m.root.kind == Dir {
			s.preopen(s.config.Mounts[i].Guest, m)
		} else if s.above(m) == nil {
			holder, err := s.newHolder(m)
			if err != nil {
				return fmt.Errorf("mount %s: %w", m.at, err)
			}
			s.mounts = append(s.mounts, holder)
			s.preopen(holder.at, holder)
		}
	}
	if err := s.graftAll(); err != nil || s.config.Cwd == "" {
		return err
	}
	if err := s.enterCwd(); err != nil {
		return fmt.Errorf("working directory %s: %w", s.config.Cwd, err)
	}
	return nil
}

// enterCwd makes the descriptor of the working directory.
func (s *System) enterCwd() error {
	if s.root == nil || s.config.Cwd[0] != '/' || strings.IndexByte(s.config.Cwd, 0) >= 0 || len(s.config.Cwd) > PathBytesMax {
		return errors.New("not an absolute path in a mounted root")
	}
	if slices.ContainsFunc(s.mounts, func(m *mount) bool { return m.at == "." }) {
		return errors.New("something else is mounted as \".\"")
	}
	above := []*inode{s.root}
	for _, name := range strings.Split(path.Clean(s.config.Cwd)[1:], "/") {
		if name == "" {
			break
		}
		n, err := s.lookup(above[len(above)-1], name)
		if err != nil {
			return err
		}
		if n.kind != Dir {
			return ENOTDIR // a link as well: a working directory is named by its real path
		}
		n.pinned = true
		above = append(above, n)
	}
	last := len(above) - 1
	for _, d := range []*descriptor{
		{node: s.root, name: RootName},
		{node: above[last], above: above[:last], name: "."},
	} {
		d.base, d.inheriting, d.preopen = rightsDir, rightsDir|rightsFile, true
		if _, err := s.table.add(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) newMount(index int, config Mount) (*mount, error) {
	m := &mount{
		index: index, at: path.Clean(config.Guest), device: uint64(len(s.mounts) + 1),
		writable: config.Writable, tree: config.Tree, pinned: config.Digest != "",
	}
	if config.Guest == "" || len(config.Guest) > PathBytesMax || strings.IndexByte(config.Guest, 0) >= 0 {
		return nil, errors.New("not a path a program can see")
	}
	for _, other := range s.mounts {
		if other.at == m.at {
			return nil, errors.New("two mounts have this path")
		}
	}
	if m.tree == nil {
		root, err := s.newInode(m, Dir)
		m.root = root
		return m, err
	}
	kind, size, err := m.tree.Stat(".")
	if err != nil {
		return nil, err
	}
	if kind != Dir && kind != File {
		return nil, fmt.Errorf("a %v cannot be mounted", kind)
	}
	if m.root, err = s.adopt(m, ".", kind); err != nil {
		return nil, err
	}
	s.sized(m.root, size)
	return m, nil
}

// newHolder makes the directory that a single file is seen in.
func (s *System) newHolder(file *mount) (*mount, error) {
	m := &mount{index: file.index, at: path.Dir(file.at), device: uint64(len(s.mounts) + 1)}
	root, err := s.newInode(m, Dir)
	m.root = root
	return m, err
}

// above is the innermost directory mount that a mount lies in, nil if none.
func (s *System) above(m *mount) *mount {
	var best *mount
	for _, other := range s.mounts {
		if other != m && other.root.kind == Dir && within(other.at, m.at) && (best == nil || len(other.at) > len(best.at)) {
			best = other
		}
	}
	return best
}

// within reports whether a cleaned path lies in a cleaned directory.
func within(dir, p string) bool {
	switch dir {
	case "/":
		return strings.HasPrefix(p, "/") && p != "/"
	case ".":
		return !strings.HasPrefix(p, "/") && p != ".." && !strings.HasPrefix(p, "../") && p != "."
	}
	return strings.HasPrefix(p, dir+"/")
}

// graftAll puts mounts that lie in others into their trees, outer ones first.
func (s *System) graftAll() error {
	inner := slices.Clone(s.mounts)
	slices.SortStableFunc(inner, func(a, b *mount) int { return cmp.Compare(len(a.at), len(b.at)) })
	for _, m := range inner {
		m.root.pinned = true
		if outer := s.above(m); outer == nil {
			m.root.links++
		} else if err := s.graft(outer, m); err != nil {
			return fmt.Errorf("mount %s in %s: %w", m.at, outer.at, err)
		}
	}
	return nil
}

// graft makes the way to a mount point, where the outer tree lacks it, and
// puts the inner root over whatever is there.
func (s *System) graft(outer, inner *mount) error {
	rest := inner.at
	if outer.at != "." {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, outer.at), "/")
	}
	names := strings.Split(rest, "/")
	dir := outer.root
	for _, name := range names[:len(names)-1] {
		n, err := s.lookup(dir, name)
		if err == ENOENT {
			if n, err = s.newInode(dir.mount, Dir); err == nil {
				s.enter(dir, name, n)
			}
		}
		if err != nil {
			return err
		}
		if n.kind != Dir {
			return fmt.Errorf("%s: %w", name, ENOTDIR)
		}
		n.pinned = true
		dir = n
	}
	s.enter(dir, names[len(names)-1], inner.root)
	return nil
}
