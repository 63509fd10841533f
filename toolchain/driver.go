package toolchain

import (
	"regexp"
	"slices"
	"strings"

	"carrel/guest/posix"
)

// linker is the name that clang gives its linker.
const linker = "wasm-ld"

// A tool is a name of the multi-call program.
type tool struct {
	name   string // the program's own name of it
	driver bool   // it is clang, that says what it would run
}

// isInput reports whether an argument may be a file.
func isInput(arg string) bool { return arg == "-" || arg != "" && arg[0] != '-' }

// targetFlags make clang compile for this machine, with our headers. Exceptions
// are off for C++ whatever it is compiled by.
var targetFlags = []string{
	"--start-no-unused-arguments",
	"-ivfsoverlay", overlayFile,
	"-ffile-prefix-map=" + posix.RootName + "/=/", "-ffile-compilation-dir=/",
	"--target=wasm32-wasip1", "--sysroot=" + ResourceDir, "-resource-dir=" + ResourceDir,
	"-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_MMAN", "-D_WASI_EMULATED_PROCESS_CLOCKS", "-D_WASI_EMULATED_GETPID",
	"-fno-exceptions",
	"--end-no-unused-arguments",
}

// libraryFlags link what wasi-libc offers as emulations, without asking, and its
// printf and scanf of long double. The stack is as large as a program finds it on
// Linux; wasm-ld's own is 64 KiB.
var libraryFlags = []string{
	"--start-no-unused-arguments",
	"-lwasi-emulated-signal", "-lwasi-emulated-mman", "-lwasi-emulated-process-clocks", "-lwasi-emulated-getpid",
	"-lc-printscan-long-double", "-Wl,-z,stack-size=8388608",
	"--end-no-unused-arguments",
}

// Tools are the tools by the names that people know.
var Tools = map[string]tool{
	"cc":      {"clang", true},
	"c++":     {"clang++", true},
	"ld":      {linker, false},
	"ar":      {"llvm-ar", false},
	"ranlib":  {"llvm-ranlib", false},
	"nm":      {"llvm-nm", false},
	"strip":   {"llvm-strip", false},
	"objcopy": {"llvm-objcopy", false},
	"objdump": {"llvm-objdump", false},
	"size":    {"llvm-size", false},
}

// A job is the command line of one tool, its name first.
type job []string

// compiles reports whether the job is one of the compiler: -cc1, -cc1as.
func (j job) compiles() bool { return len(j) > 1 && strings.HasPrefix(j[1], "-cc1") }

// list is where the job writes what its source depends on: "-" is standard output,
// "" nowhere.
func (j job) list() string {
	if at := slices.Index(j, "-dependency-file"); at >= 0 && at+1 < len(j) {
		return j[at+1]
	}
	return ""
}

// throws reports whether the job compiles code that needs exception handling of
// the machine. C with -fexceptions does not.
func (j job) throws() bool {
	return j.compiles() && slices.ContainsFunc(j, func(arg string) bool {
		return arg == "-fcxx-exceptions" || arg == "-fobjc-exceptions" || arg == "+exception-handling" ||
			strings.HasPrefix(arg, "-exception-model=")
	})
}

// throwing are the flags of clang that ask for such jobs.
var throwing = regexp.MustCompile(`^-f([a-z]+-)?exceptions$|^-mexception-handling$|exception-model=|wasm-enable-eh`)

// refusal says why a command with such a job is refused.
func refusal(args []string) string {
	flag := "an argument" // in a response file
	for _, arg := range args {
		if throwing.MatchString(arg) && arg != "-fno-exceptions" {
			flag = arg
		}
	}
	return flag + " asks for exceptions, which are not supported: the machine has no exception handling; " +
		"leave it out, as -fno-exceptions is on"
}

// parsePlan reads what clang -### says: jobs on lines that begin with ` "`, each
// argument in quotes, in which a backslash escapes, and a line may end. What else
// it says, but for its version, is the rest.
func parsePlan(text string) (jobs []job, rest string) {
	var others strings.Builder
	for text != "" {
		if j, after := parseJob(text); len(j) > 0 {
			jobs, text = append(jobs, j), after
			continue
		}
		end := strings.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		if !isHeader(text[:end]) {
			others.WriteString(text[:end])
		}
		text = text[end:]
	}
	return jobs, others.String()
}

var headers = []string{"clang version ", "Target: ", "Thread model: ", "InstalledDir: ", "Build config: "}

func isHeader(line string) bool {
	return slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(line, h) }) ||
		strings.TrimSpace(line) == "(in-process)"
}

// parseJob reads a job at the beginning of a text, and what comes after its line.
func parseJob(text string) (j job, after string) {
	for strings.HasPrefix(text, ` "`) {
		var arg strings.Builder
		i := 2
		for ; i < len(text) && text[i] != '"'; i++ {
			if text[i] == '\\' && i+1 < len(text) {
				i++
			}
			arg.WriteByte(text[i])
		}
		if i == len(text) {
			return nil, "" // not in quotes to its end
		}
		j, text = append(j, arg.String()), text[i+1:]
	}
	if len(j) > 0 && j[0] == "" { // clang does not know its own path
		j = j[1:]
	}
	_, after, _ = strings.Cut(text, "\n")
	return j, after
}
