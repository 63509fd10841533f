package toolchain

import (
	"slices"
	"strings"

	"carrel/guest/posix"
)

// linker is the name that clang gives its linker.
const linker = "wasm-ld"

// A tool is a name of the multi-call program.
type tool struct {
	name   string   // the program's own name of it
	driver bool     // it is clang, that says what it would run
	flags  []string // before those of the command line
}

// isInput reports whether an argument may be a file.
func isInput(arg string) bool { return arg == "-" || arg != "" && arg[0] != '-' }

// targetFlags make clang compile for this machine, with our headers.
var targetFlags = []string{
	"-ffile-prefix-map=" + posix.RootName + "/=/",
	"--target=wasm32-wasip1", "--sysroot=" + resourceDir, "-resource-dir=" + resourceDir,
	"-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_MMAN", "-D_WASI_EMULATED_PROCESS_CLOCKS", "-D_WASI_EMULATED_GETPID",
}

// libraryFlags link what wasi-libc offers as emulations, without asking.
var libraryFlags = []string{
	"--start-no-unused-arguments",
	"-lwasi-emulated-signal", "-lwasi-emulated-mman", "-lwasi-emulated-process-clocks", "-lwasi-emulated-getpid",
	"--end-no-unused-arguments",
}

// Tools are the tools by the names that people know.
var Tools = map[string]tool{
	"cc":      {"clang", true, nil},
	"c++":     {"clang++", true, []string{"-fno-exceptions"}},
	"ld":      {linker, false, nil},
	"ar":      {"llvm-ar", false, nil},
	"ranlib":  {"llvm-ranlib", false, nil},
	"nm":      {"llvm-nm", false, nil},
	"strip":   {"llvm-strip", false, nil},
	"objcopy": {"llvm-objcopy", false, nil},
	"objdump": {"llvm-objdump", false, nil},
	"size":    {"llvm-size", false, nil},
}

// A job is the command line of one tool, its name first.
type job []string

// compiles reports whether the job is one of the compiler: -cc1, -cc1as.
func (j job) compiles() bool { return len(j) > 1 && strings.HasPrefix(j[1], "-cc1") }

// parsePlan reads what clang -### says: jobs on lines that begin with ` "`, each
// argument in quotes, in which a backslash escapes. What else it says, but for
// its version, is the rest.
func parsePlan(text string) (jobs []job, rest string) {
	var others strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, ` "`) {
			if j := parseJob(line); len(j) > 0 {
				jobs = append(jobs, j)
				continue
			}
		}
		if !isHeader(line) {
			others.WriteString(line)
		}
	}
	return jobs, others.String()
}

var headers = []string{"clang version ", "Target: ", "Thread model: ", "InstalledDir: ", "Build config: "}

func isHeader(line string) bool {
	return slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(line, h) }) ||
		strings.TrimSpace(line) == "(in-process)"
}

func parseJob(line string) (j job) {
	for rest := strings.TrimSpace(line); strings.HasPrefix(rest, `"`); rest = strings.TrimLeft(rest, " ") {
		var arg strings.Builder
		i := 1
		for ; i < len(rest) && rest[i] != '"'; i++ {
			if rest[i] == '\\' && i+1 < len(rest) {
				i++
			}
			arg.WriteByte(rest[i])
		}
		if i == len(rest) {
			return nil // not in quotes to its end
		}
		j, rest = append(j, arg.String()), rest[i+1:]
	}
	if len(j) > 0 && j[0] == "" { // clang does not know its own path
		j = j[1:]
	}
	return j
}
