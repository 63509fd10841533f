package main

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// An access says what becomes of a mount.
type access string

const (
	readOnly  access = "ro" // the guest may only read
	readWrite access = "rw" // it may write; written back when it exits with 0
	writeOnly access = "wo" // it starts empty; written back when it exits with 0
)

// A mount is a host directory or tar file and where the guest sees it.
type mount struct {
	Host   string
	Guest  string // absolute, clean
	Access access
}

// String is the mount as it is written on the command line.
func (m mount) String() string { return fmt.Sprintf("%s:%s:%s", m.Host, m.Guest, m.Access) }

// parseDir reads HOST[:GUEST][:rw]. GUEST is an absolute path; left out, it is
// HOST as it was written, seen from the guest's root: . is /, data is /data,
// /srv/data is /srv/data.
func parseDir(s string) (mount, error) {
	m, err := parseMount(s, readOnly, readWrite)
	if err != nil || m.Guest != "" {
		return m, err
	}
	host := filepath.ToSlash(filepath.Clean(m.Host))
	if host == ".." || strings.HasPrefix(host, "../") {
		return mount{}, fmt.Errorf("%q: say where the guest sees it, for example %s:/data", s, m.Host)
	}
	m.Guest = path.Join("/", host)
	return m, nil
}

// parseTar reads FILE[:GUEST][:ro|wo|rw]. GUEST is an absolute path; left out,
// it is the guest's root.
func parseTar(s string) (mount, error) {
	m, err := parseMount(s, readOnly, writeOnly, readWrite)
	if err == nil && m.Guest == "" {
		m.Guest = "/"
	}
	return m, err
}

// parseMount reads HOST[:GUEST][:ACCESS]; without ACCESS it is read-only.
func parseMount(s string, modes ...access) (mount, error) {
	m := mount{Host: s, Access: readOnly}
	if host, mode, ok := cutLast(m.Host); ok {
		for _, a := range modes {
			if mode == string(a) {
				m.Host, m.Access = host, a
				break
			}
		}
	}
	if host, guest, ok := cutLast(m.Host); ok {
		if !strings.HasPrefix(guest, "/") {
			return mount{}, fmt.Errorf("%q: %q is neither an absolute guest path nor %s", s, guest, oneOf(modes))
		}
		m.Host, m.Guest = host, path.Clean(guest)
	}
	if m.Host == "" {
		return mount{}, fmt.Errorf("%q names no host path", s)
	}
	return m, nil
}

// oneOf lists what an access may be.
func oneOf(modes []access) string {
	var names []string
	for _, mode := range modes {
		names = append(names, string(mode))
	}
	return strings.Join(names, " or ")
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// mounts is a flag that may be given several times.
type mounts struct {
	list  *[]mount
	parse func(string) (mount, error)
	form  string
}

func (f mounts) Set(s string) error {
	m, err := f.parse(s)
	if err != nil {
		return err
	}
	*f.list = append(*f.list, m)
	return nil
}

func (f mounts) String() string {
	if f.list == nil || len(*f.list) == 0 {
		return ""
	}
	return fmt.Sprint(*f.list)
}

func (f mounts) Type() string { return f.form }
