package zencode

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// A call is what the engine asks of JavaScript: EM_ASM, by the address of its text
// in the engine's data.
type call int

const (
	callOK     call = iota + 1 // it ended well
	callError                  // it ended badly
	callAbort                  // it gave up
	callPrint                  // a part of the result
	callLog                    // a part of the log
	callLine                   // a line of the log
	callNone                   // an empty text is printed
	callRandom                 // so many random bytes, in memory that it frees
)

// callBodies are the bodies of JavaScript that are known.
var callBodies = map[string]call{
	"Module.exec_ok()":                  callOK,
	"Module.exec_error()":               callError,
	"Module.onAbort()":                  callAbort,
	"Module.print(UTF8ToString($0))":    callPrint,
	"Module.printErr(UTF8ToString($0))": callLog,
	"console.error(UTF8ToString($0))":   callLine,
	"console.warn(UTF8ToString($0))":    callLine,
	"console.log(UTF8ToString($0))":     callLine,
	`Module.print("")`:                  callNone,
}

// randomBody is the SHA-256 of the body that makes random bytes.
const randomBody = "bb00d5693a37e7fb06ec0bf70f9719e6596efb6e7ef6a7335e6c6419b2d733b9"

// Limits of the glue.
const (
	glueBytesMax = 64 << 20
	callsMax     = 1000
)

var (
	wasmMark  = []byte(`base64Decode("AGFzbQ`)
	callsMark = []byte("ASM_CONSTS={")
	callHead  = regexp.MustCompile(`^,?([0-9]{1,10}):(?:\(\)|\$0)=>\{`)
)

// readWasm finds the wasm in npm's JavaScript.
func readWasm(glue []byte) ([]byte, error) {
	if len(glue) > glueBytesMax {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", len(glue), glueBytesMax)
	}
	at := bytes.Index(glue, wasmMark)
	if at < 0 {
		return nil, errors.New("no wasm is in it")
	}
	text := glue[at+bytes.IndexByte(wasmMark, '"')+1:]
	end := bytes.IndexByte(text, '"')
	if end < 0 {
		return nil, errors.New("the wasm in it has no end")
	}
	wasm, err := base64.StdEncoding.DecodeString(string(text[:end]))
	if err != nil {
		return nil, fmt.Errorf("the wasm in it: %w", err)
	}
	return wasm, nil
}

// readCalls finds in npm's JavaScript what the engine's calls of it mean.
func readCalls(glue []byte) (map[uint32]call, error) {
	at := bytes.Index(glue, callsMark)
	if at < 0 {
		return nil, errors.New("it does not say what its calls of JavaScript are")
	}
	calls := map[uint32]call{}
	rest := glue[at+len(callsMark):]
	for !bytes.HasPrefix(rest, []byte("}")) {
		head := callHead.FindSubmatch(rest)
		if head == nil {
			return nil, fmt.Errorf("a call of JavaScript of an unknown form: %.60q", rest)
		}
		address, err := strconv.ParseUint(string(head[1]), 10, 32)
		if err != nil {
			return nil, err
		}
		body, ok := braced(rest[len(head[0]):])
		if !ok {
			return nil, fmt.Errorf("a call of JavaScript without an end, at %d", address)
		}
		rest = rest[len(head[0])+len(body)+1:]
		if calls[uint32(address)], err = classify(body); err != nil {
			return nil, err
		}
		if len(calls) > callsMax {
			return nil, fmt.Errorf("more than %d calls of JavaScript", callsMax)
		}
	}
	return calls, nil
}

func classify(body []byte) (call, error) {
	if c, ok := callBodies[string(body)]; ok {
		return c, nil
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) == randomBody {
		return callRandom, nil
	}
	return 0, fmt.Errorf("an unknown call of JavaScript: %.80q", body)
}

// braced is what stands before the brace that closes one that is open. Bodies that
// have braces in texts are unknown ones.
func braced(b []byte) (body []byte, ok bool) {
	open := 1
	for n, c := range b {
		switch c {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return b[:n], true
			}
		}
	}
	return nil, false
}
