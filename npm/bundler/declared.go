package bundler

import (
	"encoding/json"
	"errors"
	"regexp"

	"github.com/evanw/esbuild/pkg/api"
)

// declaration is how a declaration begins.
var declaration = regexp.MustCompile(`^(?:let|const|var|class|function|async\s+function)\b`)

// Declared are the names that the declaration declares that source begins with:
// none if it begins with something else, or is wrong.
func Declared(source string) []string {
	if !declaration.MatchString(source) {
		return nil
	}
	names, err := exportsOf("export " + source)
	if err != nil {
		return nil // whoever evaluates it says what is wrong
	}
	return names
}

// exportsOf are the names that a module exports.
func exportsOf(module string) ([]string, error) {
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: module, Sourcefile: "line.mjs"},
		Bundle: true, Format: api.FormatESModule, Metafile: true, Outfile: "line.js", LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(result.Errors[0].Text)
	}
	var built struct {
		Outputs map[string]struct{ Exports []string }
	}
	if err := json.Unmarshal([]byte(result.Metafile), &built); err != nil {
		return nil, err
	}
	var names []string
	for _, output := range built.Outputs {
		names = append(names, output.Exports...)
	}
	return names, nil
}
