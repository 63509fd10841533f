package egress

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// A Target is where a request may be sent: a URL that the policy permits, and the
// addresses of its host that were checked. It is for use soon: addresses change.
type Target struct {
	location *location
	url      *url.URL
	pinned   []netip.Addr  // nil if no address had to be checked
	spent    time.Duration // by finding addresses
}

// URL is the target as it is sent and signed: in the form of the URL standard, without
// user name, password and fragment.
func (t *Target) URL() string {
	return t.location.scheme + "://" + t.location.authority() + t.location.path + t.location.query
}

// Addresses are those that Send connects to, in order. There are none if the policy
// takes any address: then Send asks for them, at each attempt.
func (t *Target) Addresses() []netip.Addr { return slices.Clone(t.pinned) }

// Permit holds a URL against the policy: scheme, port, host, and then, if private
// addresses are blocked, every address of the host. It takes at most the timeout of an
// attempt, and the first attempt has only what is left of that.
func (c *Client) Permit(ctx context.Context, rawURL string) (*Target, *Error) {
	l, err := parse(rawURL)
	if err != nil {
		return nil, denied(InvalidURL, "%s", err)
	}
	if e := c.options.Policy.check(l); e != nil {
		return nil, e
	}
	t := &Target{location: l}
	if t.url, err = l.url(); err != nil {
		return nil, denied(InvalidURL, "%s", err)
	}
	if !c.options.Policy.BlockPrivate {
		return t, nil
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	addrs, err := c.resolve(ctx, l)
	if err != nil {
		return nil, denied(DNSFailed, "%s", err)
	}
	if e := c.options.Policy.checkAddresses(addrs); e != nil {
		return nil, e
	}
	t.pinned, t.spent = addrs[:min(len(addrs), AddressesMax)], time.Since(began)
	return t, nil
}

// resolve gives all addresses of the host, at least one.
func (c *Client) resolve(ctx context.Context, l *location) ([]netip.Addr, error) {
	if addr, ok := l.address(); ok {
		return []netip.Addr{addr.Unmap()}, nil
	}
	addrs, err := c.options.Resolver.LookupNetIP(ctx, "ip", l.host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("host '%s' has no address", l.host)
	}
	addrs = slices.Clone(addrs)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}
