package egress

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Signer signs requests, as HTTP message signatures (RFC 9421) with Ed25519, and with
// a digest of the body (RFC 9530).
//
// Its key should be for nothing else. It could not be mistaken, though: what is signed
// here begins with a quotation mark, what package seal signs does not.
type Signer struct {
	key   ed25519.PrivateKey
	keyID string // quoted
	now   func() time.Time
}

// NewSigner returns a signer. The key id names the key to receivers: printable ASCII, at
// most KeyIDBytesMax bytes. Now is time.Now, or what a test has instead.
func NewSigner(key ed25519.PrivateKey, keyID string, now func() time.Time) (*Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("make signer: a key has %d bytes, not %d", ed25519.PrivateKeySize, len(key))
	}
	if len(keyID) == 0 || len(keyID) > KeyIDBytesMax {
		return nil, fmt.Errorf("make signer: a key id has 1 to %d bytes, not %d", KeyIDBytesMax, len(keyID))
	}
	for i := range len(keyID) {
		if keyID[i] < ' ' || keyID[i] > '~' {
			return nil, fmt.Errorf("make signer: key id %q is not printable ASCII", keyID)
		}
	}
	return &Signer{key: key, keyID: `"` + escaper.Replace(keyID) + `"`, now: now}, nil
}

const (
	label     = "carrel"
	algorithm = "ed25519"
)

// escaper and unescaper are for strings of structured fields (RFC 8941).
var (
	escaper   = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`)
)

// always are the components of every signature, whenPresent the headers that are
// covered if the request has them.
var (
	always      = []string{"@method", "@target-uri", "content-digest"}
	whenPresent = []string{"content-type", "idempotency-key", "carrel-receipt"}
)

// sign adds Content-Digest, Signature-Input and Signature to a request for uri.
func (s *Signer) sign(r *http.Request, uri string, body []byte) {
	r.Header.Set(digestHeader, contentDigest(body))
	names := covered(r.Header)
	params := list(names) + ";created=" + strconv.FormatInt(s.now().Unix(), 10) + ";keyid=" + s.keyID + `;alg="` + algorithm + `"`
	signature := ed25519.Sign(s.key, signatureBase(names, params, components(r, uri)))
	r.Header.Set(signatureInputHeader, label+"="+params)
	r.Header.Set(signatureHeader, label+"="+binary(signature))
}

// covered are the components that a signature of such a request has, in order.
func covered(header http.Header) []string {
	names := append([]string(nil), always...)
	for _, name := range whenPresent {
		if len(header.Values(name)) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// components gives the value of a component of a request: RFC 9421, 2.1 and 2.2.
func components(r *http.Request, uri string) func(name string) string {
	return func(name string) string {
		switch name {
		case "@method":
			return r.Method
		case "@target-uri":
			return uri
		}
		var lines []string
		for _, v := range r.Header.Values(name) {
			lines = append(lines, strings.Trim(v, " \t"))
		}
		return strings.Join(lines, ", ")
	}
}

// signatureBase is what is signed: RFC 9421, 2.5.
func signatureBase(names []string, params string, value func(name string) string) []byte {
	var base []byte
	for _, name := range names {
		base = append(base, `"`+name+`": `+value(name)+"\n"...)
	}
	return append(base, `"@signature-params": `+params...)
}

// contentDigest is the SHA-256 of a body as a header has it.
func contentDigest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=" + binary(sum[:])
}

// list and binary are an inner list of strings and a byte sequence of structured fields.
func list(names []string) string { return `("` + strings.Join(names, `" "`) + `")` }

func binary(data []byte) string { return ":" + base64.StdEncoding.EncodeToString(data) + ":" }
