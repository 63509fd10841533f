package cache

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tempAge is how old an entry in the making must be to be an orphan: of a
// process that died. No compilation takes that long.
const tempAge = time.Hour

type aged struct {
	path  string
	bytes int64
	used  time.Time
}

// evict removes entries that were not used for the longest time until the cache
// is no larger than its limit. It does what it can: another process may do the
// same.
func (c *Cache) evict() {
	dirs, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var entries []aged
	total := int64(0)
	for _, d := range dirs {
		info, err := d.Info()
		if err != nil || !d.IsDir() {
			continue // gone, or nothing of ours
		}
		e := aged{filepath.Join(c.dir, d.Name()), 0, info.ModTime()}
		if strings.HasPrefix(d.Name(), tempPrefix) {
			if time.Since(e.used) > tempAge {
				_ = os.RemoveAll(e.path)
			}
			continue
		}
		e.bytes = size(e.path)
		total += e.bytes
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b aged) int { return a.used.Compare(b.used) })
	for _, e := range entries {
		if total <= c.bytesMax {
			return
		}
		// Renamed first, so that nobody finds half an entry.
		doomed := filepath.Join(c.dir, tempPrefix+filepath.Base(e.path))
		if os.Rename(e.path, doomed) == nil {
			_ = os.RemoveAll(doomed)
		}
		total -= e.bytes
	}
}

func size(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
