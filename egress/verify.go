package egress

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Signature is what Verify found to be true of a request.
type Signature struct {
	KeyID   string    // what the signer calls its key
	Created time.Time // when it was signed, in seconds; whoever cares says how old it may be
}

// ErrNoSignature reports a request without a signature of ours.
var ErrNoSignature = errors.New("the request has no signature of Carrel")

// Verify checks the signature of a request that a receiver got: that key signed its
// method, URL and body, and its content type, idempotency key and receipt, which cannot
// have been added or taken away either. Other headers are not signed.
//
// The URL is https if the request came over TLS and http if not, Host, and what the
// request line says. A receiver behind a proxy that ends TLS sets r.URL.Scheme before.
func Verify(r *http.Request, body []byte, key ed25519.PublicKey) (*Signature, error) {
	params, err := member(r.Header, signatureInputHeader)
	if err != nil {
		return nil, fmt.Errorf("verify signature: %w", err)
	}
	match := signatureParams.FindStringSubmatch(params)
	if match == nil {
		return nil, fmt.Errorf("verify signature: %s is not as Carrel writes it", signatureInputHeader)
	}
	names := covered(r.Header)
	if match[1] != list(names) {
		return nil, fmt.Errorf("verify signature: it covers %s, not %s", match[1], list(names))
	}
	if digests := r.Header.Values(digestHeader); !slices.Equal(digests, []string{contentDigest(body)}) {
		return nil, fmt.Errorf("verify signature: %s is not that of the body", digestHeader)
	}
	signature, err := signatureBytes(r.Header)
	if err != nil {
		return nil, fmt.Errorf("verify signature: %w", err)
	}
	base := signatureBase(names, params, components(r, receivedURI(r)))
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, base, signature) {
		return nil, errors.New("verify signature: the key did not sign this request")
	}
	created, err := strconv.ParseInt(match[2], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("verify signature: created: %w", err)
	}
	return &Signature{KeyID: unescaper.Replace(match[3]), Created: time.Unix(created, 0)}, nil
}

// signatureParams are those that a Signer writes, in its order.
var signatureParams = regexp.MustCompile(`^(\([^()]*\));created=([0-9]{1,15});keyid="((?:[ !#-\[\]-~]|\\["\\])+)";alg="` + algorithm + `"$`)

// receivedURI is the URL of a request as its sender had it.
func receivedURI(r *http.Request) string {
	scheme := r.URL.Scheme
	switch {
	case scheme != "":
	case r.TLS != nil:
		scheme = "https"
	default:
		scheme = "http"
	}
	target := r.RequestURI // as it came, but for absolute ones
	if !strings.HasPrefix(target, "/") {
		target = r.URL.RequestURI()
	}
	return scheme + "://" + r.Host + target
}

func signatureBytes(header http.Header) ([]byte, error) {
	text, err := member(header, signatureHeader)
	if err != nil {
		return nil, err
	}
	inner, ok := strings.CutPrefix(text, ":")
	if ok {
		inner, ok = strings.CutSuffix(inner, ":")
	}
	if !ok {
		return nil, fmt.Errorf("%s is no byte sequence", signatureHeader)
	}
	return base64.StdEncoding.Strict().DecodeString(inner)
}

// member gives our member of a dictionary (RFC 8941), as it is written. There may be
// those of others beside it, since a proxy may sign as well.
func member(header http.Header, name string) (string, error) {
	text := strings.Join(header.Values(name), ",")
	if len(text) > SignatureInputBytesMax {
		return "", fmt.Errorf("%s has %d bytes, at most %d", name, len(text), SignatureInputBytesMax)
	}
	var ours []string
	for _, m := range members(text) {
		if value, ok := strings.CutPrefix(m, label+"="); ok {
			ours = append(ours, value)
		}
	}
	switch len(ours) {
	case 0:
		return "", ErrNoSignature
	case 1:
		return ours[0], nil
	}
	return "", fmt.Errorf("%s has %d members %s", name, len(ours), label)
}

// members splits a dictionary at the commas that are not within strings.
func members(text string) []string {
	var list []string
	start, within := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case within && text[i] == '\\':
			i++
		case text[i] == '"':
			within = !within
		case text[i] == ',' && !within:
			list = append(list, strings.Trim(text[start:i], " \t"))
			start = i + 1
		}
	}
	return append(list, strings.Trim(text[start:], " \t"))
}
