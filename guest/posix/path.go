package posix

import "strings"

// A place is where a path leads.
type place struct {
	dir   *inode // the directory that name is in
	name  string // the last name; "" where the path ends in "." or ".."
	node  *inode // what is there; nil if nothing
	slash bool   // the path ended in a slash: it must be a directory
}

// resolve walks a path from a directory. It never leaves that directory, or
// from the working directory the root: neither "..", nor an absolute path, nor a
// link leads out (EPERM). Where it may go up to the root of all, the target of a
// link may be absolute. A link at the end is followed if asked, or if a slash
// comes after it.
//
// Only the last name may be absent.
func (s *System) resolve(from *descriptor, path string, follow bool) (place, error) {
	if path[0] == '/' {
		return place{}, EPERM
	}
	dirs, links := append(append(s.dirs[:0], from.above...), from.node), 0
	defer func() { s.dirs = dirs[:0] }()
	for {
		name, rest, slash := cutName(path)
		last := rest == ""
		if err := s.charge(nameCost); err != nil {
			return place{}, err
		}
		dir := dirs[len(dirs)-1]
		switch {
		case name == "..":
			if len(dirs) == 1 {
				return place{}, EPERM
			}
			dirs = dirs[:len(dirs)-1]
			fallthrough
		case name == ".":
			if last {
				return place{node: dirs[len(dirs)-1], slash: slash}, nil
			}
			path = rest
			continue
		case len(name) > NameBytesMax:
			return place{}, ENAMETOOLONG
		}
		n, err := s.lookup(dir, name)
		if err == ENOENT && last {
			return place{dir: dir, name: name, slash: slash}, nil
		}
		if err != nil {
			return place{}, err
		}
		if n.kind == Link && (!last || slash || follow) {
			if links++; links > LinksMax {
				return place{}, ELOOP
			}
			if path, err = s.expand(n, rest, slash); err != nil {
				return place{}, err
			}
			if path[0] == '/' {
				if dirs[0] != s.root {
					return place{}, EPERM
				}
				if dirs, path = dirs[:1], strings.TrimLeft(path, "/"); path == "" {
					path = "."
				}
			}
			continue
		}
		if n.kind != Dir && (!last || slash) {
			return place{}, ENOTDIR
		}
		if last {
			return place{dir: dir, name: name, node: n, slash: slash}, nil
		}
		dirs, path = append(dirs, n), rest
	}
}

// expand is the path to go on with after a link.
func (s *System) expand(link *inode, rest string, slash bool) (string, error) {
	if err := s.readLink(link); err != nil {
		return "", err
	}
	if err := s.chargeBytes(uint64(len(link.target) + len(rest))); err != nil {
		return "", err
	}
	switch {
	case len(link.target)+len(rest) > 2*PathBytesMax:
		return "", ENAMETOOLONG
	case slash || rest != "":
		return link.target + "/" + rest, nil
	default:
		return link.target, nil
	}
}

// cutName splits the first name off a path that does not start with a slash.
// slash reports slashes after it; rest starts with the next name.
func cutName(path string) (name, rest string, slash bool) {
	i := strings.IndexByte(path, '/')
	if i < 0 {
		return path, "", false
	}
	rest = path[i:]
	for rest != "" && rest[0] == '/' {
		rest = rest[1:]
	}
	return path[:i], rest, true
}
