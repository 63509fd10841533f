package bundler

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// declaration is how a declaration begins that stands at the start of a line.
var declaration = regexp.MustCompile(`(?m)^(?:let|const|var|class|function|async function)\b`)

// Lasting is a line of a conversation, for an eval that forgets what is declared in
// it: what the line declares outside of blocks is made global, and the value of the
// line is that of its last statement. A line that declares nothing, or is wrong,
// comes back as it is.
func Lasting(line string) string {
	printed := api.Transform(line, api.TransformOptions{
		LogLevel: api.LogLevelSilent, LegalComments: api.LegalCommentsNone,
		Supported: map[string]bool{"template-literal": false}, // could have lines of their own
	})
	if len(printed.Errors) > 0 {
		return line
	}
	// esbuild has each statement that is in no block at the start of a line.
	code := string(printed.Code)
	names, err := exportsOf(declaration.ReplaceAllString(code, "export $0"))
	if err != nil || len(names) == 0 {
		return line // whoever evaluates it says what is wrong
	}
	slices.Sort(names)
	last := code[strings.LastIndex(strings.TrimSuffix(code, "\n"), "\n")+1:]
	value := "undefined"
	// What begins with let [ would be an expression too.
	if expression := "(" + strings.TrimSuffix(last, ";\n") + "\n)"; !declaration.MatchString(last) && isScript(expression) {
		for value = "$value"; strings.Contains(code, value); value += "$" {
		}
		code = strings.TrimSuffix(code, last) + "const " + value + " = " + expression + ";\n"
	}
	for _, name := range names {
		code += "globalThis." + name + " = " + name + ";\n"
	}
	return code + value
}

// isScript tells whether esbuild can read source.
func isScript(source string) bool {
	return len(api.Transform(source, api.TransformOptions{LogLevel: api.LogLevelSilent}).Errors) == 0
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
