package ncr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"carrel/guest/zencode"
	"carrel/guest/zencode/secret"
)

// Endings of the files of a script.
const (
	endingZencode  = ".zen"
	endingLua      = ".lua"
	endingKeys     = ".keys.json"
	endingData     = ".data.json"
	endingSchema   = ".schema.json"
	endingMetadata = ".metadata.json"
	endingConf     = ".conf"
)

const (
	// sideBytesMax bounds schema, metadata and conf.
	sideBytesMax = 1 << 20
	// scriptsMax is how many scripts of a directory are found.
	scriptsMax = 10_000
	// depthMax is how many directories deep they are looked for.
	depthMax = 32
)

// An endpoint is a script with what stands beside it.
type endpoint struct {
	name     string // "sub/hello"
	lua      bool
	script   []byte
	conf     string
	keys     []byte // nil if there are none
	keyNames []string
	example  []byte // of data; nil if there is none
	schema   *schema
	metadata metadata
}

// path is where the endpoint is.
func (e *endpoint) path() string { return "/" + e.name }

// A fileError is of a file that the server was given, and not of a request.
type fileError struct {
	file string
	err  error
}

func (e *fileError) Error() string { return fmt.Sprintf("%s: %v", e.file, e.err) }
func (e *fileError) Unwrap() error { return e.err }

// named reports whether a name can be one of an endpoint: a path below the folder,
// without hidden parts, that stands for itself in a URL and in OpenAPI.
func named(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.HasPrefix(name, ".") && !strings.Contains(name, "/.") &&
		!strings.ContainsAny(name, `\{}?#%`) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// errAbsent is of a name that no script has.
var errAbsent = errors.New("there is no such script; GET / lists those that there are")

// find reads an endpoint. The error is errAbsent, or a fileError.
func (h *Handler) find(name string) (*endpoint, error) {
	if !named(name) {
		return nil, errAbsent
	}
	e, err := h.read(name)
	if e != nil && e.metadata.Hidden {
		e.forget()
		return nil, errAbsent
	}
	return e, err
}

// forget overwrites the keys.
func (e *endpoint) forget() { clear(e.keys) }

// read reads a script, which may be hidden, with what stands beside it. With an error of
// one of those there is what was read before it.
func (h *Handler) read(name string) (*endpoint, error) {
	if !fs.ValidPath(name) {
		return nil, errAbsent
	}
	e := &endpoint{name: name, conf: h.Conf, keys: bytes.Clone(h.Keys)}
	var err error
	file := name + endingZencode
	if e.script, err = h.file(file, zencode.TextBytesMax); err == nil && e.script == nil {
		e.lua, file = true, name+endingLua
		e.script, err = h.file(file, zencode.TextBytesMax)
	}
	switch {
	case err != nil:
		return nil, err
	case e.script == nil:
		return nil, errAbsent
	case !utf8.Valid(e.script) || bytes.IndexByte(e.script, 0) >= 0:
		return nil, &fileError{file, errors.New("it is not text in UTF-8")}
	}
	if err := e.openKeys(h.Secrets); err != nil {
		return nil, &fileError{"the keys for all", err}
	}
	for _, side := range []struct {
		ending string
		max    int
		take   func(b []byte) error
	}{
		{endingMetadata, sideBytesMax, func(b []byte) error { return e.metadata.read(b) }},
		{endingKeys, zencode.TextBytesMax, func(b []byte) error { e.forget(); e.keys = b; return e.openKeys(h.Secrets) }},
		{endingData, zencode.TextBytesMax, func(b []byte) error { e.example = b; return checkJSON(b) }},
		{endingConf, sideBytesMax, func(b []byte) error { e.conf = strings.TrimSpace(string(b)); return nil }},
		{endingSchema, sideBytesMax, func(b []byte) (err error) { e.schema, err = h.compiled(name, b, e.keyNames); return err }},
	} {
		file := name + side.ending
		content, err := h.file(file, side.max)
		if err == nil && content != nil {
			if err = side.take(content); err != nil {
				err = &fileError{file, err}
			}
		}
		if err != nil {
			return e, err
		}
	}
	e.metadata.complete()
	return e, nil
}

// file reads a file; nil if there is none.
func (h *Handler) file(name string, limit int) ([]byte, error) {
	info, err := fs.Stat(h.Folder, name)
	for _, absent := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG} {
		if errors.Is(err, absent) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, &fileError{name, plain(err)}
	}
	if !info.Mode().IsRegular() { // a pipe would wait
		return nil, &fileError{name, errors.New("it is not a regular file")}
	}
	file, err := h.Folder.Open(name)
	if err != nil {
		return nil, &fileError{name, plain(err)}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, &fileError{name, plain(err)}
	}
	if len(content) > limit {
		return nil, &fileError{name, fmt.Errorf("it is larger than %d bytes", limit)}
	}
	return append([]byte{}, content...), nil
}

// plain is an error of a file without its path, which may be of this host.
func plain(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// checkJSON says where a text is no JSON, and not what stands there.
func checkJSON(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("it is not text in UTF-8")
	}
	if json.Valid(text) {
		return nil
	}
	var value any
	err := json.Unmarshal(text, &value)
	if at := (*json.SyntaxError)(nil); errors.As(err, &at) {
		return fmt.Errorf("it is not JSON, at byte %d", at.Offset)
	}
	return errors.New("it is not JSON")
}

// openKeys checks the keys, and puts secrets into them.
func (e *endpoint) openKeys(secrets map[string][]byte) error {
	e.keyNames = nil
	if len(bytes.TrimSpace(e.keys)) == 0 {
		e.keys = nil
		return nil
	}
	if err := checkJSON(e.keys); err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(e.keys, &value); err != nil {
		return errors.New("it is not JSON that can be read")
	}
	if object, ok := value.(map[string]any); ok {
		for name := range object {
			e.keyNames = append(e.keyNames, name)
		}
		slices.Sort(e.keyNames)
	}
	if !secret.Named(value) {
		return nil
	}
	keys, err := secret.Inject(e.keys, secrets, secret.Defaults)
	if err != nil {
		return err
	}
	e.keys = keys.Text
	return nil
}

// An Entry is a script that was found.
type Entry struct {
	Name string // its endpoint, without the first slash
	File string
}

// A listing is what a folder has.
type listing struct {
	entries []Entry  // by name
	ignored []string // files that are scripts and not served, and why
}

// List finds the scripts, by name, and says which are not served, and why.
func (h *Handler) List() (entries []Entry, ignored []string, err error) {
	list, err := h.list()
	if err != nil {
		return nil, nil, err
	}
	return list.entries, list.ignored, nil
}

var errMany = fmt.Errorf("there are more than %d scripts", scriptsMax)

func (h *Handler) list() (*listing, error) {
	list := &listing{}
	seen := map[string]int{}
	err := fs.WalkDir(h.Folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return plain(err)
		case err != nil:
			list.ignore(name, plain(err).Error())
			return nil
		case name == ".":
			return nil
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			if strings.Count(name, "/") >= depthMax {
				list.ignore(name, "it is too deep")
				return fs.SkipDir
			}
			return nil
		}
		ending := path.Ext(name)
		if ending != endingZencode && ending != endingLua {
			return nil
		}
		if len(list.entries) == scriptsMax {
			return errMany
		}
		list.add(seen, Entry{strings.TrimSuffix(name, ending), name})
		return nil
	})
	slices.SortFunc(list.entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// add adds a script, if it can be reached.
func (l *listing) add(seen map[string]int, entry Entry) {
	at, twice := seen[entry.Name]
	switch {
	case !named(entry.Name):
		l.ignore(entry.File, "such a name is not served")
	case (&exchange{}).page("/"+entry.Name) != nil:
		l.ignore(entry.File, "/"+entry.Name+" is a page of the server")
	case twice: // Lua comes first, Zencode is served
		l.ignore(l.entries[at].File, entry.File+" is served")
		l.entries[at].File = entry.File
	default:
		seen[entry.Name] = len(l.entries)
		l.entries = append(l.entries, entry)
	}
}

func (l *listing) ignore(file, why string) { l.ignored = append(l.ignored, file+": "+why) }
