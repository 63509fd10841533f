package ncr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"carrel/guest/zencode"
	"carrel/quantity"
	"carrel/turn"
)

// A problem is an answer that is no result.
type problem struct {
	status   int
	Text     string   `json:"error"`
	Class    string   `json:"class,omitempty"`    // how the run ended, if it did not come to its end
	Problems []string `json:"problems,omitempty"` // of the data, by the schema
	Log      []string `json:"log,omitempty"`
}

// retryAfter is when a client may try again that found no place, in seconds.
const retryAfter = "1"

// fail answers with a problem.
func (x *exchange) fail(p *problem) {
	if p.status == http.StatusServiceUnavailable {
		x.w.Header().Set("Retry-After", retryAfter)
	}
	x.problem = p.Text
	x.answer(p.status, typeJSON, encoded(p))
}

func encoded(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // of texts and numbers only
	return b.Bytes()
}

func (p *problem) Error() string { return p.Text }

// failed answers with an error.
func (x *exchange) failed(err error) {
	if errors.Is(err, errAbsent) {
		x.fail(&problem{status: http.StatusNotFound, Text: err.Error()})
		return
	}
	if p := (*problem)(nil); errors.As(err, &p) {
		x.fail(p)
		return
	}
	x.fail(&problem{status: http.StatusInternalServerError, Text: err.Error()})
}

// endpoint runs the script.
func (x *exchange) endpoint(e *endpoint) {
	defer e.forget()
	if !x.methods(e.metadata.methods()...) {
		return
	}
	ctx, cancel := context.WithTimeoutCause(x.r.Context(), x.h.Timeout, errTimeout)
	defer cancel()
	if err := x.h.room.enter(); err != nil {
		x.fail(busy(err))
		return
	}
	defer x.h.room.leave()
	result, err := x.run(ctx, e)
	if err != nil {
		x.failed(err)
		return
	}
	x.outcome = &result.Outcome
	x.result(ctx, e, result)
}

// run runs the script, and what stands before it. Who reads the answer slowly holds up
// nobody who wants to run.
func (x *exchange) run(ctx context.Context, e *endpoint) (*zencode.Result, error) {
	data, err := x.checked(e)
	if err != nil {
		return nil, err
	}
	if err := x.h.room.begin(ctx); err != nil {
		return nil, busy(err)
	}
	defer x.h.room.end()
	if err := x.precondition(ctx, e, data); err != nil {
		return nil, err
	}
	result, err := x.h.Executor.Run(ctx, x.h.input(e, data))
	if err != nil {
		return nil, fmt.Errorf("the script could not be run: %w", err)
	}
	return result, nil
}

func busy(err error) *problem {
	return &problem{status: http.StatusServiceUnavailable, Text: "the server is busy: " + err.Error()}
}

// checked is the request's data, if the schema allows it.
func (x *exchange) checked(e *endpoint) ([]byte, error) {
	data, err := x.data(e)
	if err != nil {
		return nil, err
	}
	if e.metadata.HTTPHeaders {
		if data, err = withHeaders(data, x.r); err != nil {
			return nil, err
		}
	}
	if e.schema == nil {
		return data, nil
	}
	problems, err := e.schema.check(data)
	if err == nil && len(problems) > 0 {
		err = &problem{status: http.StatusUnprocessableEntity, Text: "the data is not what " + path.Base(e.name) + endingSchema + " allows", Problems: problems}
	}
	return data, err
}

// errTimeout is why a run is stopped that takes too long.
var errTimeout = errors.New("no script came to an end in time")

// input is what a script is run with.
func (h *Handler) input(e *endpoint, data []byte) *zencode.Input {
	return &zencode.Input{
		Lua: e.lua, Script: e.script, Conf: e.conf, Keys: e.keys, Data: data,
		Seed: h.Seed(), Now: uint64(max(0, h.Now().UnixNano())), Limits: h.Limits,
		Caps: &zencode.Caps{Output: outputBytesMax, Log: logBytesMax},
	}
}

// precondition runs the script that decides whether another may be run.
func (x *exchange) precondition(ctx context.Context, e *endpoint, data []byte) error {
	name := string(e.metadata.Precondition)
	if name == "" {
		return nil
	}
	first, err := x.h.read(path.Clean(strings.TrimSuffix(name, endingZencode)))
	if errors.Is(err, errAbsent) {
		return &fileError{e.name + endingMetadata, fmt.Errorf("precondition: there is no script %q", name)}
	} else if err != nil {
		return err
	}
	defer first.forget()
	result, err := x.h.Executor.Run(ctx, x.h.input(first, data))
	if err != nil {
		return fmt.Errorf("the precondition could not be run: %w", err)
	}
	x.outcome = &result.Outcome
	switch {
	case result.Class == turn.Exit && result.Code == 0:
		return nil
	case result.Class == turn.Exit:
		return &problem{status: http.StatusForbidden, Text: "the precondition does not hold: " + reason(logLines(result.Log, first.keys))}
	}
	return x.fault(ctx, result)
}

// fault is what a run that did not come to its end is answered with.
func (x *exchange) fault(ctx context.Context, result *zencode.Result) *problem {
	p := &problem{status: http.StatusInternalServerError, Class: result.Class.String()}
	switch {
	case result.Over.Output:
		p.Text = fmt.Sprintf("the script printed more than %s", quantity.FormatBytes(outputBytesMax))
	case result.Over.Log:
		p.Text = fmt.Sprintf("the script logged more than %s", quantity.FormatBytes(logBytesMax))
	case result.Class == turn.Fuel:
		p.Text = fmt.Sprintf("the script used up its fuel: %s units", quantity.FormatFuel(x.h.Limits.Fuel))
	case result.Class == turn.Stopped && errors.Is(context.Cause(ctx), errTimeout):
		p.status, p.Text = http.StatusGatewayTimeout, fmt.Sprintf("the script took longer than %v", x.h.Timeout)
	case result.Class == turn.Stopped:
		p.status, p.Text = http.StatusServiceUnavailable, "the script was stopped"
	case result.Class == turn.Memory:
		p.Text = "the script broke the engine's memory, or its bounds"
	default:
		p.Text = "the engine failed"
	}
	return p
}

// whole is all of a run, for who asks for it: the answer that others get, and how it
// came about.
type whole struct {
	Status  int      `json:"status"`
	Type    string   `json:"type"`
	Output  string   `json:"output"`
	Error   string   `json:"error,omitempty"`
	Class   string   `json:"class"`
	Fuel    uint64   `json:"fuel,omitempty"` // not of a script with keys: it tells of them
	Log     []string `json:"log"`
	Micros  int64    `json:"micros"` // how long it took
	Example bool     `json:"example,omitempty"`
}

// result answers with how a run ended.
func (x *exchange) result(ctx context.Context, e *endpoint, result *zencode.Result) {
	log := logLines(result.Log, e.keys)
	var p *problem
	switch {
	case result.Class != turn.Exit:
		p = x.fault(ctx, result)
	case result.Code != 0:
		p = &problem{status: int(e.metadata.ErrorCode), Text: reason(log)}
	}
	status, mime, output := int(e.metadata.SuccessCode), "", result.Output
	if p != nil {
		p.Log = log
		status, mime = p.status, typeJSON
	} else {
		if e.metadata.HTTPHeaders {
			output = x.takeHeaders(output)
		}
		mime = outputType(e, output)
	}
	if wantsRun(x.r) {
		all := whole{Status: status, Type: mime, Output: string(bytes.ToValidUTF8(output, []byte("\uFFFD"))), Class: result.Class.String(), Log: log, Micros: x.h.Now().Sub(x.began).Microseconds()}
		if len(e.keys) == 0 {
			all.Fuel = result.Fuel
		}
		if p != nil {
			all.Error, x.problem = p.Text, p.Text
		}
		all.Example = x.w.Header().Get("Carrel-Data") != ""
		x.answer(status, typeRun, encoded(all))
		return
	}
	if p != nil {
		x.fail(p)
		return
	}
	x.answer(status, mime, output)
}

// outputType is the type of what a script printed.
func outputType(e *endpoint, output []byte) string {
	switch {
	case e.metadata.SuccessContentType != "":
		return e.metadata.SuccessContentType
	case json.Valid(output) && utf8.Valid(output):
		return typeJSON
	}
	return typeText
}

// takeHeaders takes the headers of the answer from what a script printed, and sets
// them; those that say how an answer is carried stay the server's.
func (x *exchange) takeHeaders(output []byte) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(output, &object) != nil || object[headersName] == nil {
		return output
	}
	var headers struct {
		Response map[string]string `json:"response"`
	}
	_ = json.Unmarshal(object[headersName], &headers) // what is none is not set
	for name, value := range headers.Response {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) || carries(name) {
			continue
		}
		x.w.Header().Set(name, value)
	}
	delete(object, headersName)
	return encoded(object)
}

// carries reports whether a header says how an answer is carried, or who may see it.
func carries(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Content-Encoding", "Content-Type", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "Trailer", "Te",
		"Date", "X-Content-Type-Options", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials":
		return true
	}
	return false
}
