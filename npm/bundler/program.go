package bundler

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// What esbuild ends a module with that exports something, and one of CommonJS.
var (
	exportClause = regexp.MustCompile(`(?s)(?:^|\n)export \{\n(.*?)\n\};\n$`)
	exportModule = regexp.MustCompile(`(?:^|\n)export default (\w+\(\));\n$`)
)

// Program bundles a module as a program: an expression of JavaScript, an
// asynchronous function that runs the module and answers its exports. Code of the
// top level may await, and print is the function's parameter.
func Program(entry string, o Options) (string, error) {
	project, err := findProject(entry)
	if err != nil {
		return "", err
	}
	module, err := project.build(o, api.FormatESModule)
	if err != nil {
		return "", err
	}
	exports := ""
	if at := exportClause.FindStringSubmatchIndex(module); at != nil {
		if exports, err = exported(module[at[2]:at[3]]); err != nil {
			return "", err
		}
		module = module[:at[0]] + "\n"
	} else if at := exportModule.FindStringSubmatchIndex(module); at != nil {
		exports = " default: " + module[at[2]:at[3]] + ", "
		module = module[:at[0]] + "\n"
	}
	return "async (print) => {\n" + beforeScript + module + "return {" + exports + "};\n}", nil
}

// exported makes members of an object of what an export clause lists: lines of a
// name, maybe with another that it is exported as.
func exported(clause string) (string, error) {
	var members strings.Builder
	for line := range strings.SplitSeq(clause, "\n") {
		name, as, renamed := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), ","), " as ")
		if !renamed {
			as = name
		}
		if name == "" || strings.ContainsAny(name, " \t{}") {
			return "", fmt.Errorf("bundle: %q is no export", line)
		}
		fmt.Fprintf(&members, " %s: %s,", as, name)
	}
	return members.String() + " ", nil
}
