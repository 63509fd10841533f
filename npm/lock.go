package npm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Place is a package of a lock file, and where it goes.
type Place struct {
	Package
	// Dir is the package's directory below that of the lock file, with slashes:
	// node_modules/NAME, or deeper.
	Dir string
}

// Places are the packages of a lock file (package-lock.json, version 3) in the
// order of their directories.
func Places(lock []byte) ([]Place, error) {
	var file struct {
		LockfileVersion int
		Packages        map[string]struct {
			Version, Integrity string
			Link               bool
		}
	}
	if err := json.Unmarshal(lock, &file); err != nil {
		return nil, fmt.Errorf("lock file: %w", err)
	}
	if file.LockfileVersion != 3 {
		return nil, fmt.Errorf("lock file of version %d: only 3 is known", file.LockfileVersion)
	}
	var all []Place
	for dir, p := range file.Packages {
		if dir == "" {
			continue
		}
		_, name, found := cutLast(dir, "node_modules/")
		if !found || name == "" || p.Link || !filepath.IsLocal(dir) {
			return nil, fmt.Errorf("lock file: %q is no package of npm", dir)
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") || p.Version == "" {
			return nil, fmt.Errorf("lock file: %q has no version, or no SHA-512", dir)
		}
		all = append(all, Place{Package{name, p.Version, p.Integrity}, dir})
	}
	slices.SortFunc(all, func(a, b Place) int { return cmp.Compare(a.Dir, b.Dir) })
	return all, nil
}

// cutLast cuts around the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	n := strings.LastIndex(s, separator)
	if n < 0 {
		return s, "", false
	}
	return s[:n], s[n+len(separator):], true
}
