package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"carrel/client/xsnap/xsnaptest"
	"carrel/netstring"
	"carrel/npm/quickjs"
)

func TestMain(m *testing.M) {
	code := m.Run()
	xsnaptest.Clean()
	os.Exit(code)
}

// A conversation is what a parent says, byte by byte, and what a worker does.
type conversation struct {
	name     string
	args     []string
	raw      string              // said first, as it is
	commands []string            // each is said when there was a reply to the one before
	answer   func(string) string // to queries, without the question mark; nil says them again
	deaf     bool                // the parent dies, rather than answer
	metered  bool                // replies are with the meter

	replies []string // with the meter left out
	stdout  string
	stderr  string
	exit    int

	xs *conversation // what is otherwise with XS, as far as it is not zero
}

// okay is a reply with a meter.
var okay = regexp.MustCompile(`^\.\{"currentHeapCount":\d+,"compute":\d+,"allocate":\d+,"timestamps":\[\d+\.\d{6}(,\d+\.\d{6})*\]\}\x01`)

// said is what came of a conversation.
type said struct {
	replies        []string
	stdout, stderr string
	exit           int
}

func (c *conversation) with(t *testing.T, path string) said {
	t.Helper()
	var theirs, ours []*os.File
	pipe := func(read bool) *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if read {
			theirs, ours = append(theirs, w), append(ours, r)
			return r
		}
		theirs, ours = append(theirs, r), append(ours, w)
		return w
	}
	commands, replies, _ := pipe(false), pipe(true), pipe(true)
	cmd := exec.Command(path, append([]string{"kit"}, c.args...)...)
	cmd.ExtraFiles = []*os.File{theirs[0], theirs[1], nil, nil, theirs[2]}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range theirs {
		f.Close()
	}
	result := said{replies: c.speak(t, commands, replies)}
	for _, f := range ours {
		f.Close()
	}
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	result.stdout, result.stderr, result.exit = stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	return result
}

// speak says everything, and answers what the worker replied.
func (c *conversation) speak(t *testing.T, commands io.WriteCloser, from io.Reader) (heard []string) {
	t.Helper()
	replies := bufio.NewReader(from)
	// That the worker has ended is seen when it is read from.
	_, _ = io.WriteString(commands, c.raw)
	for _, command := range c.commands {
		_, _ = commands.Write(netstring.Append(nil, []byte(command)))
		for command != "q" {
			message, err := netstring.Read(replies, netstring.BytesMax)
			if err != nil {
				return heard
			}
			text := string(message)
			if head := okay.FindString(text); head != "" && !c.metered {
				text = "." + text[len(head):]
			}
			heard = append(heard, text)
			if !strings.HasPrefix(text, "?") {
				break
			}
			answer := "/" + text[1:]
			if c.deaf {
				commands.Close()
				continue
			}
			if c.answer != nil {
				answer = c.answer(text[1:])
			}
			_, _ = commands.Write(netstring.Append(nil, []byte(answer)))
		}
	}
	commands.Close()
	rest, _ := io.ReadAll(replies)
	if len(rest) > 0 {
		t.Errorf("%s: %q after the last reply", c.name, rest)
	}
	return heard
}

// ofXS is the conversation as it is with XS.
func (c conversation) ofXS() conversation {
	if c.xs == nil {
		return c
	}
	if c.xs.replies != nil {
		c.replies = c.xs.replies
	}
	if c.xs.stdout != "" {
		c.stdout = c.xs.stdout
	}
	if c.xs.stderr != "" {
		c.stderr = c.xs.stderr
	}
	return c
}

func (c *conversation) check(t *testing.T, got said) {
	t.Helper()
	if !slices.Equal(got.replies, c.replies) {
		t.Errorf("replies %q, want %q", got.replies, c.replies)
	}
	if got.stdout != c.stdout {
		t.Errorf("stdout %q, want %q", got.stdout, c.stdout)
	}
	if got.stderr != c.stderr {
		t.Errorf("stderr %q, want %q", got.stderr, c.stderr)
	}
	if got.exit != c.exit {
		t.Errorf("exit %d, want %d", got.exit, c.exit)
	}
}

const help = `xsnap [-h] [-i <interval>] [-l <limit>] [-s <size>] [-m] [-r <snapshot>] [-s] [-v]
	-h: print this help message
	-i <interval>: metering interval (default to 1)
	-l <limit>: metering limit (default to none)
	-s <size>: parser buffer size, in kB (default to 8192)
	-r <snapshot>: read snapshot to create the XS machine
	-v: print XS version
`

// kit is what a worker does, to the byte.
func kit(dir string) []conversation {
	constant := func(text string) func(string) string { return func(string) string { return text } }
	caught := "etry { issueCommand(new ArrayBuffer(2)) } catch (e) { print(e) }"
	return []conversation{
		{name: "ready", commands: []string{"R", "R"}, replies: []string{".", "."}},
		{name: "nothing"},
		{name: "quit", commands: []string{"q"}},

		{name: "evaluate", commands: []string{"e1 + 1", "e", "eundefined", "e'text'", "enew Uint8Array(3)"},
			replies: []string{".", ".", ".", ".", "."}},
		{name: "indirect eval", commands: []string{"evar a = 1; let b = 2; const c = 3; function d() {}; globalThis.e = 5; print(a, b, c)",
			"eprint(typeof a, typeof b, typeof c, typeof d, typeof e, this === globalThis)"},
			replies: []string{".", "."}, stdout: "1 2 3\nnumber undefined undefined function number true\n"},
		{name: "a global eval", commands: []string{"eglobalThis.eval = (s) => new ArrayBuffer(s.length)", "eabc"}, replies: []string{".", ".\x00\x00\x00"}},
		{name: "result", commands: []string{
			"enew TextEncoder().encode('hi').buffer", "e({ result: new ArrayBuffer(3) })",
			"evar r = {}; Promise.resolve().then(() => { r.result = new ArrayBuffer(2) }); r",
			"evar r = {}; setImmediate(() => { r.result = new ArrayBuffer(1) }); r",
			"efunction f() {}; f.result = new ArrayBuffer(1); f", "e({ result: 'text' })", "e({ result: { result: new ArrayBuffer(1) } })",
			"enew TextEncoder().encode('größer').buffer"},
			replies: []string{".hi", ".\x00\x00\x00", ".\x00\x00", ".\x00", ".\x00", ".", ".", ".größer"}},
		{name: "a getter of the result", commands: []string{"e({ get result() { throw Error('g') } })"}, replies: []string{"."},
			stderr: "e computing response 10 0: undefined: Error: g\n"},
		{name: "thrown", commands: []string{"ethrow Error('no')", "ethrow 'text'", "ethrow undefined", "e1"}, replies: []string{"!Error: no", "!text", "!undefined", "."},
			xs: &conversation{replies: []string{"!Error: no", "!text", ".", "."}}},
		{name: "close after an exception", commands: []string{"ethrow 1", "q"}, replies: []string{"!1"}, exit: 15},
		{name: "end after an exception", commands: []string{"ethrow 1"}, replies: []string{"!1"}, exit: 15},
		{name: "exception that was", commands: []string{"ethrow 1", "e1", "q"}, replies: []string{"!1", "."}},
		{name: "exception and ready", commands: []string{"ethrow 1", "R", "q"}, replies: []string{"!1", "."}, exit: 15},
		{name: "syntax", commands: []string{"e1 +"}, replies: []string{"!SyntaxError: unexpected token in expression: ''"}, exit: 15,
			xs: &conversation{replies: []string{"!SyntaxError: missing expression"}}},

		{name: "no handler", commands: []string{"?abc", "eglobalThis.handleCommand = 1", "?abc", "eglobalThis.handleCommand = (m) => m", "?abc", "?"},
			replies: []string{"!TypeError: not a function", ".", "!TypeError: not a function", ".", ".abc", "."},
			xs:      &conversation{replies: []string{"!TypeError: (host): no function", ".", "!TypeError: (host): no function", ".", ".abc", "."}}},
		{name: "late handler", commands: []string{"eglobalThis.handleCommand = () => { globalThis.handleCommand = () => new ArrayBuffer(2); return new ArrayBuffer(1) }", "?", "?"},
			replies: []string{".", ".\x00", ".\x00\x00"}},

		{name: "order", commands: []string{`eprint(1); setImmediate(() => { print(4); Promise.resolve().then(() => print(5)) }); setImmediate(() => print(6));
			Promise.resolve().then(() => print(3)); print(2)`}, replies: []string{"."}, stdout: "1\n2\n3\n4\n5\n6\n"},
		{name: "print", commands: []string{"eprint(1, 'a', null, undefined, {}, [1, 2])", "eprint()", "eprint('größer \\u{1f600}')"},
			replies: []string{".", ".", "."}, stdout: "1 a null undefined [object Object] 1,2\n\ngrößer \U0001f600\n",
			xs: &conversation{stdout: "1 a null undefined [object Object] 1,2\n\ngrößer \xed\xa0\xbd\xed\xb8\x80\n"}}, // it is no UTF-8

		{name: "query", commands: []string{"eissueCommand(new ArrayBuffer(2))", "eissueCommand(new ArrayBuffer(0))"}, replies: []string{"?\x00\x00", ".\x00\x00", "?", "."}},
		{name: "queries", commands: []string{"enew TextEncoder().encode([1, 2].map((n) => new TextDecoder().decode(issueCommand(new TextEncoder().encode(n).buffer)))).buffer"},
			answer: func(s string) string { return "/" + s + s }, replies: []string{"?1", "?2", ".11,22"}},
		{name: "query of nothing", commands: []string{"etry { issueCommand() } catch (e) { print(e instanceof TypeError, String(e).includes('expected ArrayBuffer')) }"},
			replies: []string{"."}, stdout: "true true\n"},
		{name: "empty answer", commands: []string{caught, "e1"}, answer: constant(""), replies: []string{"?\x00\x00", ".", "."}, stdout: "Error: Received unexpected command reply.\n",
			xs: &conversation{stdout: "Error: @anonymous-523: Received unexpected command reply.\n"}},
		{name: "another answer", commands: []string{caught, "e1"}, answer: constant("R"), replies: []string{"?\x00\x00", ".", "."}, stdout: "Error: Received unexpected command reply.\n",
			xs: &conversation{stdout: "Error: @anonymous-523: Received unexpected command reply.\n"}},
		{name: "dead parent", commands: []string{caught}, deaf: true, replies: []string{"?\x00\x00"}, stderr: "Got EOF on netstring read. Has parent died?\n", exit: 2},

		{name: "unknown command", commands: []string{"zabc"}, stderr: "Unexpected prefix 'z' in command 'zabc'\n", exit: 2},
		{name: "answer to nothing", commands: []string{"/abc\x00def"}, stderr: "Unexpected prefix '/' in command '/abc'\n", exit: 2},
		{name: "empty command", commands: []string{""}, stderr: "Unexpected prefix '\x00' in command ''\n", exit: 2},
		{name: "no length", raw: "abc", stderr: string(netstring.ErrLength) + "\n", exit: 2},
		{name: "no colon", raw: "3;abc,", stderr: string(netstring.ErrDelimiter) + "\n", exit: 2},
		{name: "ten digits", raw: "1234567890:R", stderr: string(netstring.ErrDelimiter) + "\n", exit: 2},
		{name: "negative length", raw: "-5:R,", stderr: string(netstring.ErrBuffer) + "\n", exit: 2},
		{name: "no comma", raw: "1:R;", stderr: string(netstring.ErrTrailer) + "\n", exit: 2},
		{name: "end in a length", raw: "12"},
		{name: "end in a message", raw: "10:R"},

		{name: "loop", args: []string{"-l", "1000000"}, commands: []string{"efor (;;);"}, exit: 17},
		{name: "calls", commands: []string{"eprint(1); (function f() { f() })()"}, stdout: "1\n", exit: 12},
		{name: "immediate that throws", commands: []string{"esetImmediate(() => { throw Error('imm') })"}, stderr: "Unhandled exception Error: imm\n", exit: 255},
		{name: "rejections", commands: []string{"ePromise.reject(Error('rej'))", "eglobalThis.console = { error: (...a) => print(...a) }", "ePromise.reject(Error('rej'))",
			"esetImmediate(() => { throw Error('imm') })"}, replies: []string{".", ".", "."},
			stdout: "UnhandledPromiseRejectionWarning: Error: rej\nUnhandled exception: Error: imm\n", stderr: "Unhandled exception Error: rej\n", exit: 255},

		{name: "limit", args: []string{"-l", "10000000"}, commands: []string{
			"eprint(currentMeterLimit())", "eprint(resetMeter(5000000, 7) > 0, currentMeterLimit(), resetMeter(10000000, 0) >= 7)", "eprint(currentMeterLimit())"},
			replies: []string{".", ".", "."}, stdout: "10000000\ntrue 5000000 true\n10000000\n"},
		{name: "no limit", commands: []string{"eprint(currentMeterLimit())", "etry { resetMeter(1) } catch (e) { print(e instanceof TypeError) }"}, replies: []string{".", "."}, stdout: "0\ntrue\n"},
		{name: "free work", args: []string{"-l", "1000000"}, commands: []string{
			"econst limit = currentMeterLimit(), before = resetMeter(0, 0); for (let n = 0; n < 2000000; n++); print(resetMeter(limit, before) > 1000000)"},
			replies: []string{"."}, stdout: "true\n"},

		{name: "parser", args: []string{"-s", "2"}, commands: []string{"e'" + strings.Repeat("x", 5000) + "'", "e" + strings.Repeat("0;", 3000), "e'" + strings.Repeat("x", 1000) + "'"},
			replies: []string{"!RangeError: buffer overflow", ".", "."}},

		{name: "write nowhere", commands: []string{"w/no such/directory"}, stderr: "cannot write snapshot /no such/directory: No such file or directory\n", exit: 2},
		{name: "write to no descriptor", commands: []string{"w@99"}, stderr: "cannot write snapshot @99: Bad file descriptor\n", exit: 2},
		{name: "start from no file", args: []string{"-r", "/no such/file"}, commands: []string{"R"}, stderr: "cannot read snapshot /no such/file: No such file or directory\n", exit: 2},
		{name: "start from no descriptor", args: []string{"-r", "@99:label"}, commands: []string{"R"}, stderr: "cannot read snapshot @99:label: Bad file descriptor\n", exit: 2},
		{name: "start from a directory", args: []string{"-r", dir}, commands: []string{"R"}, stderr: "cannot read snapshot " + dir + ": Is a directory\n", exit: 2},
		{name: "start from another file", args: []string{"-r", filepath.Join(dir, "script.js")}, commands: []string{"R"},
			stderr: "cannot read snapshot " + filepath.Join(dir, "script.js") + ": read image: not the file of an image\n", exit: 2,
			xs: &conversation{stderr: "cannot read snapshot " + filepath.Join(dir, "script.js") + ": Invalid argument\n"}},

		{name: "script", commands: []string{"s" + filepath.Join(dir, "script.js"), "eprint(typeof a, typeof b)"}, replies: []string{".", "."}, stdout: "script\nnumber number\n"},
		{name: "failing script", commands: []string{"s" + filepath.Join(dir, "throw.js"), "s" + filepath.Join(dir, "script.js"), "e1"}, replies: []string{"!", "!", "."},
			stdout: "script\n", stderr: "Error: thrown\n"},
		{name: "module", commands: []string{"m" + filepath.Join(dir, "module.mjs"), "m" + filepath.Join(dir, "module.mjs")}, replies: []string{".", "."}, stdout: "other\nmodule 5 undefined\n"},
		{name: "failing module", commands: []string{"m" + filepath.Join(dir, "throw.js")}, replies: []string{"."}, stderr: "Error: thrown\n", exit: 15},

		{name: "help", args: []string{"-h"}, stdout: help},
		{name: "unknown flag", args: []string{"-z"}, stdout: help, exit: 1},
		{name: "flag without operand", args: []string{"-l"}, stdout: help, exit: 1},
		{name: "deprecated", args: []string{"-n"}, stdout: "deprecated\n"},
		{name: "version", args: []string{"-v"}, stdout: "xsnap 0.15.0 (XS none, carrel with " + quickjs.Describe() + ")\n",
			xs: &conversation{stdout: "xsnap 0.15.0 (XS 13.3.0)\n"}},
		{name: "globals", commands: []string{`eprint(Object.getOwnPropertyNames(globalThis).filter((n) => /^[a-z]|Text|Base/.test(n)).filter((n) =>
			!/^(decode|encode|escape|eval|is[FN]|parse|unescape|undefined|globalThis|lockdown|mutabilities|petrify|harden|mxcorhost|performance|print)/.test(n)).sort())`},
			replies: []string{"."}, stdout: "Base64,TextDecoder,TextEncoder,currentMeterLimit,gc,issueCommand,resetMeter,setImmediate\n",
			xs: &conversation{stdout: "Base64,TextDecoder,TextEncoder,currentMeterLimit,gc,global,issueCommand,resetMeter,setImmediate,trace\n"}},
	}
}

// TestKit has Carrel's worker and npm's say the same.
func TestKit(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"script.js": "let a = 1; var b = 2; print('script')", "throw.js": "throw Error('thrown')",
		"module.mjs": "import { n } from './other.mjs'; print('module', n, this)", "other.mjs": "export const n = 5; print('other')",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("carrel", func(t *testing.T) {
		path := xsnaptest.Worker(t)
		for _, c := range kit(dir) {
			t.Run(c.name, func(t *testing.T) { c.check(t, c.with(t, path)) })
		}
	})
	t.Run("npm", func(t *testing.T) {
		path := xsnaptest.Genuine(t)
		for _, c := range kit(dir) {
			c := c.ofXS()
			t.Run(c.name, func(t *testing.T) { c.check(t, c.with(t, path)) })
		}
	})
}

// TestTimestamps has as many queries as a reply can tell of, and more.
func TestTimestamps(t *testing.T) {
	path := xsnaptest.Worker(t)
	for queries, want := range map[int]int{0: 2, 1: 4, 250: 502, 300: 502} {
		count := -1
		c := conversation{metered: true, commands: []string{fmt.Sprintf("efor (let n = 0; n < %d; n++) issueCommand(new ArrayBuffer(1))", queries)}}
		got := c.with(t, path)
		if last := got.replies[len(got.replies)-1]; okay.MatchString(last) {
			count = strings.Count(last[strings.Index(last, "["):strings.Index(last, "]")], ",") + 1
		}
		if count != want {
			t.Errorf("%d queries: %d timestamps, want %d", queries, count, want)
		}
	}
}

// TestSnapshotFiles has snapshots through files: of the length that is told, the
// same again, and refused where they are damaged or of another version.
func TestSnapshotFiles(t *testing.T) {
	path := xsnaptest.Worker(t)
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	c := conversation{commands: []string{"evar n = 41", "w" + one, "w" + two, "eprint(++n)"}}
	got := c.with(t, path)
	first, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(two)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("nothing happened, and the snapshot is another: %v", err)
	}
	size := fmt.Sprintf(".%d", len(first))
	if want := []string{".", size, size, "."}; !slices.Equal(got.replies, want) || got.stdout != "42\n" {
		t.Errorf("%+v, want %q", got, want)
	}
	again := conversation{args: []string{"-r", one}, commands: []string{"eprint(++n)"}, replies: []string{"."}, stdout: "42\n"}
	again.check(t, again.with(t, path))

	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"truncated":       {func(b []byte) []byte { return b[:len(b)-1000] }, "read image: "},
		"empty":           {func(b []byte) []byte { return nil }, "read image: not the file of an image"},
		"flipped":         {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, "image is not what its root says"},
		"another version": {func(b []byte) []byte { b[12]++; return b }, "read image: version 2 of the format, only version 1 is known: use a newer carrel"},
		"followed":        {func(b []byte) []byte { return append(b, 0) }, "read image: something follows the end mark"},
	} {
		if err := os.WriteFile(two, test.change(slices.Clone(first)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"R", "eprint(++n)", "q"} {
			c := conversation{args: []string{"-r", two}, commands: []string{command}}
			got := c.with(t, path)
			if want := "cannot read snapshot " + two + ": " + test.want; got.exit != 2 || !strings.HasPrefix(got.stderr, want) || len(got.replies) > 0 || got.stdout != "" {
				t.Errorf("%s, %s: %+v, want %s", name, command, got, want)
			}
		}
	}
}

// TestLargeSource has 100 MB of source, for which no parser has room.
func TestLargeSource(t *testing.T) {
	c := conversation{
		args: []string{"-l", "100000000"},
		commands: []string{"e" + strings.Repeat("x", 100_000_000), "e'" + strings.Repeat("x", 100_000_000) + "'",
			"e/*" + strings.Repeat("x", 100_000_000) + "*/ new ArrayBuffer(1)"},
		replies: []string{"!RangeError: buffer overflow", "!RangeError: buffer overflow", ".\x00"},
	}
	c.check(t, c.with(t, xsnaptest.Worker(t)))
}
