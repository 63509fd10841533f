package egress

import (
	"fmt"
	"strings"
)

// An Error says why nothing was sent, or why no answer came.
type Error struct {
	Code    string // one of those below
	Message string // for people: one line of at most MessageBytesMax bytes
}

// The codes of errors, in the order in which things are checked.
const (
	InvalidURL    = "invalid_url"    // not a URL, or one that cannot be sent as it is read
	SchemeDenied  = "scheme_denied"  // the policy does not have the scheme
	PortMissing   = "port_missing"   // no port, and the scheme has no default
	PortDenied    = "port_denied"    // the policy does not have the port
	HostMissing   = "host_missing"   // no host
	HostDenied    = "host_denied"    // the policy does not have the host
	DNSFailed     = "dns_failed"     // the host has no address
	IPDenied      = "ip_denied"      // one of its addresses is not globally routable
	InvalidMethod = "invalid_method" // CONNECT: a tunnel is no request
	InvalidHeader = "invalid_header" // a header that cannot be sent, or is not the program's to set
	TooLarge      = "too_large"      // a body or receipt beyond its limit
	Failed        = "failed"         // no answer: what the network, TLS or HTTP said
)

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func denied(code, format string, args ...any) *Error {
	message := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	if len(message) > MessageBytesMax {
		message = message[:MessageBytesMax]
	}
	return &Error{Code: code, Message: strings.ToValidUTF8(message, "")}
}
