package nxcc

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"carrel/egress"
)

// postbacks sends what the userdata say, one target after the other.
func (w *Worker) postbacks(ctx context.Context, e *Envelope, x *Execution, receipt []byte) {
	p := &w.userdata.Postback
	switch {
	case !p.Enabled:
		return
	case !w.options.Postback:
		e.failed("postback_disabled", "Postback is disabled by operator configuration")
		return
	case len(p.Targets) == 0 && p.Required:
		e.failed("postback_required_missing", "Postback required but no targets configured")
		return
	}
	for n := range p.Targets {
		posted := w.post(ctx, n, e, x, receipt)
		e.Postbacks = append(e.Postbacks, *posted)
		if !posted.OK && p.Required {
			e.failed("postback_required_failed", "Required postback target failed")
		}
	}
}

// post sends one postback.
func (w *Worker) post(ctx context.Context, n int, e *Envelope, x *Execution, receipt []byte) *Posted {
	started, t := time.Now(), &w.userdata.Postback.Targets[n]
	posted := &Posted{Target: n, Kind: t.Kind}
	answer, problem := w.send(ctx, t, e, x, receipt)
	posted.Duration, posted.Error = time.Since(started).Milliseconds(), problem
	if problem != nil {
		return posted
	}
	if posted.OK = answer.OK(); answer.Status != 0 {
		posted.Status = &answer.Status
	}
	if len(answer.Body) > 0 {
		text := lossy(answer.Body)
		posted.Response = &text
	}
	return posted
}

func (w *Worker) send(ctx context.Context, t *Target, e *Envelope, x *Execution, receipt []byte) (*egress.Answer, *Problem) {
	target, denied := w.options.Egress.Permit(ctx, t.URL)
	if denied != nil {
		return nil, problemOf(denied)
	}
	request, problem := t.request(e, x.Stdout)
	if problem != nil {
		return nil, problem
	}
	p := &w.userdata.Postback
	const millisMax = uint64(egress.BackoffMax / time.Millisecond)
	request.Retries, request.Backoff = p.Retries, time.Duration(min(p.BackoffMillis, millisMax))*time.Millisecond
	request.Key, request.Receipt = uuid.NewString(), receipt
	answer := w.options.Egress.Send(ctx, target, request)
	if answer.Err != nil {
		return nil, problemOf(answer.Err)
	}
	return answer, nil
}

// problemOf is an error of egress in nXCC's words.
func problemOf(err *egress.Error) *Problem {
	if err.Code == egress.InvalidURL {
		return &Problem{err.Code, err.Message}
	}
	return &Problem{"postback_" + err.Code, err.Message}
}

// request is what is sent to a target.
func (t *Target) request(e *Envelope, stdout []byte) (*egress.Request, *Problem) {
	if t.Kind == KindEVM {
		params := []any{}
		for _, s := range t.Params {
			value, raw, problem := s.choose(e, stdout)
			if problem != nil {
				return nil, problem
			}
			if raw != nil {
				value = lossy(raw)
			}
			params = append(params, value)
		}
		body := encode(map[string]any{"jsonrpc": "2.0", "id": 1, "method": t.Method, "params": params})
		return &egress.Request{Method: "POST", Body: body, ContentType: typeJSON}, nil
	}
	body := t.Body
	if body == nil { // as nXCC's documentation has it
		body = &Selector{From: fromStdout}
	}
	value, raw, problem := body.choose(e, stdout)
	if problem != nil {
		return nil, problem
	}
	request := &egress.Request{Method: t.Method, Body: raw}
	if raw == nil {
		request.Body, request.ContentType = encode(value), typeJSON
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		request.Headers = append(request.Headers, egress.Header{Name: name, Value: t.Headers[name]})
	}
	return request, nil
}

// choose is what a selector chooses: a value, or what was printed as it is.
func (s *Selector) choose(e *Envelope, stdout []byte) (value any, raw []byte, problem *Problem) {
	switch s.From {
	case fromSelected:
		if !e.selected {
			return nil, nil, &Problem{"selected_output_missing", "No selected_output"}
		}
		return e.SelectedOutput, nil, nil
	case fromStdout:
	default:
		return nil, nil, &Problem{"unsupported_postback_source", "Unsupported postback source '" + s.From + "'"}
	}
	switch {
	case s.Pointer == nil && !e.parsed:
		return nil, append([]byte{}, stdout...), nil
	case s.Pointer == nil:
		return e.Zenroom.StdoutJSON, nil, nil
	case !e.parsed:
		return nil, nil, &Problem{"stdout_json_missing", "stdout JSON missing for json_pointer"}
	}
	chosen, ok := resolve(e.Zenroom.StdoutJSON, *s.Pointer)
	if !ok {
		return nil, nil, &Problem{"json_pointer_not_found", "json_pointer did not resolve"}
	}
	return chosen, nil, nil
}
