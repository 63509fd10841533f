// Package egress sends postbacks: the HTTP requests that a turn described, which the
// operator lets out. They are the only way out of a program.
//
// Permit reads a URL as the URL standard (WHATWG) does and holds it against the policy.
// Send performs a request at the target that this gave, at the addresses that were
// checked and no others: no redirect is followed, no proxy of the environment is used,
// no connection is shared. A receiver is not trusted: whatever it does ends within the
// timeout, in bounded memory.
//
//	client := egress.New(egress.Options{Policy: policy})
//	target, denied := client.Permit(ctx, "https://hooks.example.com/turns")
//	if denied != nil {
//		return denied
//	}
//	answer := client.Send(ctx, target, &egress.Request{Body: body, ContentType: "application/json", Key: key})
package egress

import (
	"cmp"
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"time"
)

// Options tune a client. The zero value permits nothing, since its policy is empty.
type Options struct {
	Policy   Policy
	Timeout  time.Duration  // of one attempt: resolve, connect, send, and read the answer; 0 means TimeoutDefault
	BodyKeep int            // how many bytes of an answer's body are kept; 0 means BodyKeepDefault
	BodyMax  int64          // how many bytes of it are read at all, then the connection is closed; 0 means BodyMaxDefault; never less than BodyKeep+1
	Resolver Resolver       // nil means net.DefaultResolver
	RootCAs  *x509.CertPool // nil means those of the system
	Signer   *Signer        // nil means that nothing is signed
}

// A Resolver finds the addresses of a host, as net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// A Client sends postbacks. It is safe for concurrent use.
type Client struct {
	options Options
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// New returns a client.
func New(options Options) *Client {
	options.Timeout = cmp.Or(max(options.Timeout, 0), TimeoutDefault)
	options.BodyKeep = cmp.Or(max(options.BodyKeep, 0), BodyKeepDefault)
	options.BodyMax = max(cmp.Or(max(options.BodyMax, 0), BodyMaxDefault), int64(options.BodyKeep)+1)
	if options.Resolver == nil {
		options.Resolver = net.DefaultResolver
	}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: false}, KeepAlive: -1}
	return &Client{options: options, dial: dialer.DialContext}
}
