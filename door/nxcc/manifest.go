package nxcc

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What nXCC's envelopes (DSSE) hold.
const (
	typeBundle = "application/vnd.nxcc.workerbundlepayload.v1+json"
	typeOrder  = "application/vnd.nxcc.workorderpayload.v1+json"
)

// A Manifest is a worker as its author describes it.
type Manifest struct {
	Script   []byte
	Userdata string   // JSON
	Secrets  []string // names of those that it wants; nil if it does not say
}

// ReadManifest reads a worker: a manifest, or an nXCC envelope of a work order or of a
// bundle. Open reads what the manifest names: a path, relative to the manifest. No
// signature of nXCC's is checked: nXCC does not either.
func ReadManifest(text []byte, open func(path string) ([]byte, error)) (*Manifest, error) {
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	var r reader
	top := r.top(value, "the worker")
	if top.of["payloadType"] != nil {
		return readEnvelope(top, open)
	}
	if r.err != nil {
		return nil, r.err
	}
	return readManifest(top, open)
}

// readEnvelope reads an envelope.
func readEnvelope(top object, open func(string) ([]byte, error)) (*Manifest, error) {
	var r reader
	kind, encoded := r.needed(top, "payloadType"), r.needed(top, "payload")
	if r.err != nil {
		return nil, r.err
	}
	payload, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	value, err := decode(payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	of := r.object(value, "payload")
	switch kind {
	case typeOrder:
		worker := r.object(of.of["worker"], "payload.worker")
		if r.err != nil {
			return nil, r.err
		}
		return readManifest(worker, open)
	case typeBundle:
		vm, executable := r.needed(of, "vm"), r.needed(of, "executable")
		if r.err != nil {
			return nil, r.err
		}
		if err := ours(vm, "payload.vm"); err != nil {
			return nil, err
		}
		script, err := base64.StdEncoding.DecodeString(executable)
		if err != nil {
			return nil, fmt.Errorf("payload.executable: %w", err)
		}
		return &Manifest{Script: script}, nil
	}
	return nil, fmt.Errorf("payloadType: %q is neither %s nor %s", kind, typeOrder, typeBundle)
}

// ours refuses a worker of another VM.
func ours(id, where string) error {
	if id != "" && id != vmID {
		return fmt.Errorf("%s: %q is another VM: here is %s", where, id, vmID)
	}
	return nil
}

func readManifest(top object, open func(string) ([]byte, error)) (*Manifest, error) {
	var r reader
	bundle := r.member(top, "bundle")
	source := r.needed(bundle, "source")
	m := &Manifest{}
	if top.of["identities"] != nil {
		m.Secrets = []string{}
	}
	for n, identity := range r.list(top, "identities") {
		pair, ok := identity.([]any)
		if !ok || len(pair) != 2 {
			r.fail(fmt.Sprintf("identities[%d]", n), "an identity and a name", identity)
			break
		}
		name, ok := pair[1].(string)
		if !ok {
			r.fail(fmt.Sprintf("identities[%d][1]", n), "a text", pair[1])
		}
		m.Secrets = append(m.Secrets, name)
	}
	userdata := r.member(top, "userdata")
	if r.err != nil {
		return nil, r.err
	}
	for _, at := range []object{top, bundle} {
		if err := ours(r.text(at, "vm", ""), at.at("vm")); err != nil {
			return nil, err
		}
	}
	if userdata.of != nil {
		m.Userdata = string(encode(userdata.of))
	}
	content, err := fetch(source, open)
	if err != nil {
		return nil, fmt.Errorf("bundle.source: %w", err)
	}
	if err := checkHash(bundle.of["hash"], content); err != nil {
		return nil, err
	}
	if m.Script, err = scriptOf(content); err != nil {
		return nil, fmt.Errorf("bundle.source: %w", err)
	}
	return m, nil
}

// scriptOf is the script in a bundle, or what is none as it is.
func scriptOf(content []byte) ([]byte, error) {
	var head struct{ PayloadType string }
	if json.Unmarshal(content, &head) != nil || head.PayloadType == "" {
		return content, nil
	}
	m, err := ReadManifest(content, func(path string) ([]byte, error) { return nil, errors.New("a bundle names no other") })
	if err != nil {
		return nil, err
	}
	return m.Script, nil
}

// fetch reads what a source names: a path, or a URL of file: or data:.
func fetch(source string, open func(string) ([]byte, error)) ([]byte, error) {
	scheme, rest, is := strings.Cut(source, ":")
	switch {
	case !is || strings.ContainsAny(scheme, "/.\\"):
		return open(source)
	case scheme == "file":
		return open(strings.TrimPrefix(rest, "//"))
	case scheme != "data":
		return nil, fmt.Errorf("%.100s: only files and data: are read; fetch it first", source)
	}
	kind, data, ok := strings.Cut(rest, ",")
	if !ok {
		return nil, errors.New("data: has no comma")
	}
	if strings.HasSuffix(kind, ";base64") {
		return base64.StdEncoding.DecodeString(data)
	}
	text, err := url.PathUnescape(data)
	return []byte(text), err
}

// checkHash holds a bundle against its SHA-512, if there is one: a list of bytes, or
// hexadecimal digits.
func checkHash(hash any, content []byte) error {
	if hash == nil {
		return nil
	}
	sum := sha512.Sum512(content)
	want, ok := hash.(string)
	if list, is := hash.([]any); is {
		b, fits := bytesOf(list)
		want, ok = hex.EncodeToString(b), fits
	}
	if want = strings.TrimPrefix(strings.ToLower(want), "0x"); !ok || len(want) != 2*sha512.Size {
		return errors.New("bundle.hash: 64 bytes are wanted, as a list or in hexadecimal digits")
	}
	if got := hex.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("bundle.hash: the bundle has %s…, not %s…", got[:16], want[:16])
	}
	return nil
}

// ReadRequest reads a request of HTTP: {"method": …, "uri": …, "headers": {…}, "body": a
// text or any JSON, or "body_base64": …}. All may be absent.
func ReadRequest(text []byte) (*Request, error) {
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	var r reader
	top := r.top(value, "the request")
	request := &Request{Method: r.text(top, "method", "GET"), URI: r.text(top, "uri", "/")}
	headers := r.member(top, "headers")
	for _, name := range slices.Sorted(maps.Keys(headers.of)) {
		values, is := headers.of[name].([]any)
		if !is {
			values = []any{headers.of[name]}
		}
		for n, value := range values {
			text, ok := value.(string)
			if !ok {
				r.fail("headers."+name+"["+strconv.Itoa(n)+"]", "a text", value)
			}
			request.Headers = append(request.Headers, Header{name, []byte(text)})
		}
	}
	switch body := top.of["body"].(type) {
	case nil:
		if request.Body, err = base64.StdEncoding.DecodeString(r.text(top, "body_base64", "")); err != nil {
			return nil, fmt.Errorf("body_base64: %w", err)
		}
	case string:
		request.Body = []byte(body)
	default:
		request.Body = encode(body)
	}
	return request, r.err
}
