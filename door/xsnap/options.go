package xsnap

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
)

// Version is the package of npm whose worker this one is in the place of: what
// looks at the version of a worker wants that.
const Version = "0.15.0"

const usage = `xsnap [-h] [-i <interval>] [-l <limit>] [-s <size>] [-m] [-r <snapshot>] [-s] [-v]
	-h: print this help message
	-i <interval>: metering interval (default to 1)
	-l <limit>: metering limit (default to none)
	-s <size>: parser buffer size, in kB (default to 8192)
	-r <snapshot>: read snapshot to create the XS machine
	-v: print XS version
`

// parserDefault is the size of the parser's buffer in KiB if nobody sets it.
const parserDefault = 8192

// Options are what arguments say.
type Options struct {
	Limit       uint64 // of a command, in units of the meter; 0 is none
	ParserBytes uint64 // the largest word of source
	PrintMeter  bool   // print what the meter shows before each line
	Snapshot    string // to start from: a file, or @ and a descriptor; "" is none
}

// ParseOptions reads arguments, without the name of the program. What does not
// begin with a hyphen is a label for people. With done set there is nothing left
// to do but to exit with code: what was asked for is printed. Engine is what the
// version says beside the package's.
func ParseOptions(args []string, stdout io.Writer, engine string) (o Options, code int, done bool) {
	o.ParserBytes = parserDefault << 10
	printed := func(code int, text string) (Options, int, bool) {
		if _, err := io.WriteString(stdout, text); err != nil {
			code = cmp.Or(code, ExitIO)
		}
		return o, code, true
	}
	for n := 0; n < len(args); n++ {
		operand := ""
		switch args[n] {
		case "-i", "-l", "-r", "-s":
			if n+1 == len(args) {
				return printed(ExitUsage, usage)
			}
			operand = args[n+1]
		}
		switch flag := args[n]; flag {
		case "-h":
			return printed(ExitSuccess, usage)
		case "-v":
			return printed(ExitSuccess, fmt.Sprintf("xsnap %s (XS none, %s)\n", Version, engine))
		case "-n":
			return printed(ExitSuccess, "deprecated\n")
		case "-p":
			o.PrintMeter = true
		case "-i": // the meter is always exact
			n++
		case "-l":
			o.Limit = uint64(uint32(atoi(operand)))
			n++
		case "-s":
			o.ParserBytes = uint64(max(0, atoi(operand))) << 10
			n++
		case "-r":
			o.Snapshot = operand
			n++
		default:
			if strings.HasPrefix(flag, "-") {
				return printed(ExitUsage, usage)
			}
		}
	}
	return o, 0, false
}

// atoi reads a number as C does: what follows it, or is none, is passed over.
func atoi(s string) int32 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	n := int64(0)
	for i := 0; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = min(10*n+int64(s[i]-'0'), math.MaxInt32)
	}
	if negative {
		n = -n
	}
	return int32(n)
}
