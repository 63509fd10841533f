package egress

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// A Request is what a program wants to have sent.
type Request struct {
	Method      string        // in its own case; "" and what is no token mean POST
	Headers     []Header      // in any order; some are not for programs to set
	Body        []byte        // at most RequestBytesMax
	ContentType string        // unless Headers has one; "" means none
	Key         string        // the idempotency key, unless Headers has one; "" means none
	Receipt     []byte        // goes along in a header, unless nil; at most ReceiptBytesMax
	Retries     uint32        // how often to try again when no answer came; RetriesMax at most
	Backoff     time.Duration // before each retry; BackoffMax at most
}

// A Header is one field of a request. Names are compared in any case.
type Header struct {
	Name, Value string
}

const (
	userAgent = "carrel/1"

	// KeyHeader has the idempotency key of a request, as it is.
	KeyHeader = "Idempotency-Key"
	// ReceiptHeader has a receipt, in base64 with padding.
	ReceiptHeader = "Carrel-Receipt"

	digestHeader         = "Content-Digest"
	signatureHeader      = "Signature"
	signatureInputHeader = "Signature-Input"
)

// reserved headers say how the message is carried, or are made by this package.
var reserved = []string{
	"Connection", "Content-Length", "Expect", "Host", "Http2-Settings", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	ReceiptHeader,
}

// reservedSigned are, besides, those of a signature, if there is one.
var reservedSigned = []string{digestHeader, signatureHeader, signatureInputHeader}

// check refuses what cannot be sent, whatever the receiver.
func (c *Client) check(r *Request) *Error {
	switch {
	case strings.EqualFold(r.Method, http.MethodConnect):
		return denied(InvalidMethod, "Method '%s' not allowed", r.Method)
	case len(r.Body) > RequestBytesMax:
		return denied(TooLarge, "Body of %d bytes, at most %d", len(r.Body), RequestBytesMax)
	case len(r.Receipt) > ReceiptBytesMax:
		return denied(TooLarge, "Receipt of %d bytes, at most %d", len(r.Receipt), ReceiptBytesMax)
	case len(r.Headers) > HeadersMax:
		return denied(InvalidHeader, "%d headers, at most %d", len(r.Headers), HeadersMax)
	}
	total := 0
	for _, h := range r.Headers {
		if e := c.checkHeader(h); e != nil {
			return e
		}
		total += len(h.Name) + len(h.Value)
	}
	for _, h := range []Header{{"Content-Type", r.ContentType}, {KeyHeader, r.Key}} {
		if !httpguts.ValidHeaderFieldValue(h.Value) {
			return invalidValue(h)
		}
		total += len(h.Value)
	}
	if total > HeaderBytesMax {
		return denied(InvalidHeader, "Headers of %d bytes, at most %d", total, HeaderBytesMax)
	}
	return nil
}

func (c *Client) checkHeader(h Header) *Error {
	if !httpguts.ValidHeaderFieldName(h.Name) {
		return denied(InvalidHeader, "Header name %.80q is invalid", h.Name)
	}
	if !httpguts.ValidHeaderFieldValue(h.Value) {
		return invalidValue(h)
	}
	name := http.CanonicalHeaderKey(h.Name)
	if slices.Contains(reserved, name) || c.options.Signer != nil && slices.Contains(reservedSigned, name) {
		return denied(InvalidHeader, "Header '%s' cannot be set", h.Name)
	}
	return nil
}

// invalidValue does not say the value, which may be a secret.
func invalidValue(h Header) *Error {
	return denied(InvalidHeader, "Header '%s' has a line break or another control character", h.Name)
}

// method is the one that is sent.
func (r *Request) method() string {
	if len(r.Method) > MethodBytesMax || !httpguts.ValidHeaderFieldName(r.Method) { // both are tokens
		return http.MethodPost
	}
	return r.Method
}

// header is all of the header but Host, the length and the signature.
func (r *Request) header(t *Target) http.Header {
	header := http.Header{}
	for _, h := range r.Headers {
		header.Add(h.Name, h.Value)
	}
	preset := func(name, value string) {
		if _, ok := header[name]; !ok && value != "" {
			header.Set(name, value)
		}
	}
	preset("User-Agent", userAgent)
	preset("Authorization", t.location.login)
	preset("Content-Type", r.ContentType)
	preset(KeyHeader, r.Key)
	if r.Receipt != nil {
		header.Set(ReceiptHeader, base64.StdEncoding.EncodeToString(r.Receipt))
	}
	return header
}
