package toolchain

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/guest/posix"
)

// overlayFile tells clang where the absolute names are that sources include.
const overlayFile = tempDir + "/overlay.json"

// overlay is the content of overlayFile. It covers the top directories of the
// host that the working directory and the command line name: clang has no overlay
// of the whole root, and what else the host has is no part of a build.
func overlay(dir string, args []string) []byte {
	type entry struct {
		Type     string `json:"type"`
		Name     string `json:"name"`
		External string `json:"external-contents"`
	}
	roots := []entry{}
	for _, name := range topDirs(dir, args) {
		roots = append(roots, entry{"directory-remap", "/" + name, posix.RootName + "/" + name})
	}
	text, err := json.Marshal(map[string]any{"version": 0, "case-sensitive": "true", "roots": roots})
	if err != nil {
		panic(err) // it is made of texts
	}
	return text
}

// topDirs are the first names of the working directory, and of the paths under
// posix.RootName among the arguments.
func topDirs(dir string, args []string) (names []string) {
	for _, arg := range append([]string{posix.RootName + dir + "/"}, args...) {
		_, path, _ := strings.Cut(arg, posix.RootName+"/")
		name, _, deeper := strings.Cut(strings.TrimLeft(path, "/"), "/")
		if deeper && name != "" && name != "." && name != ".." && utf8.ValidString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
