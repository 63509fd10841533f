package nxcc

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// vmID is what nXCC calls this VM.
const vmID = "nxcc/zenroom"

// A Cause is why a worker is invoked: the handler and what it is told.
type Cause struct {
	Kind    string // "event" or "http"
	Handler string
	about   map[string]any // its member nxcc.event or nxcc.http
}

// event reads the payload of an event: {"handler": …, "event_payload": null or a log}.
// The name that came with it wins.
func event(payload []byte, handler string) (c *Cause, named string, err error) {
	value, err := decode(payload)
	if err != nil {
		return nil, "", err
	}
	var r reader
	o := r.object(value, "event")
	named = r.needed(o, "handler")
	kind, log := "launch", any(map[string]any{})
	if of, is := o.of["event_payload"].(map[string]any); is {
		kind, log = logOf(of)
	} else if o.of["event_payload"] != nil {
		kind = "unknown"
	}
	return &Cause{"event", handler, map[string]any{"kind": kind, "payload": log}}, named, r.err
}

// Handler is the name of the handler that the payload of an event names, "run" if none.
func Handler(payload []byte) string {
	var head struct{ Handler string }
	if json.Unmarshal(payload, &head) != nil || head.Handler == "" {
		return "run"
	}
	return head.Handler
}

// logFields are those of a log of Ethereum, in nXCC's words; the first four make one.
var logFields = []string{"address", "topics", "data", "removed", "block_hash", "block_number", "transaction_hash", "transaction_index", "log_index"}

// logNeeded is how many of logFields must be there.
const logNeeded = 4

// logOf is the kind of an event whose payload is an object.
func logOf(of map[string]any) (kind string, payload any) {
	log := map[string]any{}
	for n, name := range logFields {
		value, there := of[name]
		if !there && n < logNeeded {
			return "unknown", map[string]any{}
		}
		if log[name] = value; name != "topics" {
			log[name] = hexadecimal(value)
		}
	}
	topics, ok := log["topics"].([]any)
	_, address := log["address"].(string)
	_, data := log["data"].(string)
	_, removed := log["removed"].(bool)
	if !ok || !address || !data || !removed {
		return "unknown", map[string]any{}
	}
	words := []any{}
	for _, topic := range topics {
		words = append(words, hexadecimal(topic))
	}
	log["topics"] = words
	return "web3_log", log
}

// hexadecimal are bytes, be they a text or a list of numbers, in lower-case digits after
// 0x; any other value is as it is.
func hexadecimal(value any) any {
	switch v := value.(type) {
	case string:
		if strings.HasPrefix(strings.ToLower(v), "0x") {
			return strings.ToLower(v)
		}
	case []any:
		if b, ok := bytesOf(v); ok {
			return "0x" + hex.EncodeToString(b)
		}
	}
	return value
}

// bytesOf are the bytes that a list of numbers is.
func bytesOf(list []any) (b []byte, ok bool) {
	for _, value := range list {
		number, ok := value.(json.Number)
		n, err := strconv.ParseUint(string(number), 10, 8)
		if !ok || err != nil {
			return nil, false
		}
		b = append(b, byte(n))
	}
	return b, true
}

// A Request is one of HTTP.
type Request struct {
	Method  string
	URI     string // path and query
	Headers []Header
	Body    []byte
}

// A Header is a line of a request or an answer.
type Header struct {
	Name  string
	Value []byte
}

// httpHandler is the name that nXCC gives to what serves HTTP.
const httpHandler = "fetch"

func (r *Request) cause() *Cause {
	headers := map[string][]string{}
	for _, h := range r.Headers {
		name := strings.ToLower(h.Name)
		headers[name] = append(headers[name], lossy(h.Value))
	}
	joined := map[string]any{}
	for name, values := range headers {
		joined[name] = strings.Join(values, ", ")
	}
	first := func(otherwise string, names ...string) string {
		for _, name := range names {
			if len(headers[name]) > 0 {
				return headers[name][0]
			}
		}
		return otherwise
	}
	scheme, _, _ := strings.Cut(first("http", "x-forwarded-proto"), ",")
	return &Cause{"http", httpHandler, map[string]any{
		"method": r.Method, "headers": joined, "body_base64": base64.StdEncoding.EncodeToString(r.Body),
		"url": scheme + "://" + first("localhost", "x-forwarded-host", "host") + r.URI,
	}}
}

// metadata are what a script is told of its worker and of why it runs.
func (c *Cause) metadata(workerID, instanceID string, received time.Time) map[string]any {
	return map[string]any{
		"worker":     map[string]any{"worker_id": workerID, "instance_id": instanceID, "vm": vmID},
		"invocation": map[string]any{"type": c.Kind, "handler": c.Handler, "received_at": timestamp(received)},
		c.Kind:       c.about,
	}
}

// timestamp is a time as nXCC writes it: RFC 3339 in UTC, with 3, 6 or 9 digits of
// the second where it is not whole.
func timestamp(t time.Time) string {
	t = t.UTC()
	text := t.Format("2006-01-02T15:04:05")
	if nanos := t.Nanosecond(); nanos != 0 {
		digits := fmt.Sprintf("%09d", nanos)
		for strings.HasSuffix(digits, "000") {
			digits = digits[:len(digits)-3]
		}
		text += "." + digits
	}
	return text + "+00:00"
}

// merged are the data with the metadata, in them or beside them, as JSON.
func (u *Userdata) merged(metadata any) []byte {
	var data map[string]json.RawMessage
	_ = json.Unmarshal(u.Data, &data) // or it is no object
	if _, taken := data["nxcc"]; u.Wrap || data == nil || taken {
		return encode(map[string]any{"input": json.RawMessage(u.Data), "nxcc": metadata})
	}
	data["nxcc"] = encode(metadata)
	return encode(data)
}

// errControl reports a conf that would be two lines, or end before its end.
var errControl = errors.New("Zenroom conf has a control character in it")

// conf is the configuration that the engine is given.
func (u *Userdata) conf(allowDebug bool, bytesMax int) (string, error) {
	conf := u.Conf
	if !allowDebug {
		parts := []string{}
		for _, part := range strings.Split(conf, ",") {
			part = strings.TrimSpace(part)
			if name, _, _ := strings.Cut(part, "="); part != "" && name != "debug" {
				parts = append(parts, part)
			}
		}
		conf = strings.Join(append(parts, "debug=0"), ",")
	}
	if len(conf) > bytesMax {
		return "", fmt.Errorf("Zenroom conf length %d exceeds max %d", len(conf), bytesMax)
	}
	if strings.ContainsFunc(conf, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
		return "", errControl
	}
	return conf, nil
}
