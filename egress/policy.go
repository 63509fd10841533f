package egress

import (
	"net/netip"
	"slices"
	"strings"
)

// A Policy is what an operator lets out. The zero value lets nothing out.
type Policy struct {
	// Schemes are those of URLs, as "https", in any case. Of all that may stand here,
	// only http and https can be sent.
	Schemes []string
	// Ports are those of URLs, named or by default.
	Ports []uint16
	// HostSuffixes are hosts: each permits itself, and what has it after a dot. They are
	// compared in any case and not trimmed, with hosts in the form of the URL standard:
	// punycode, IPv4 addresses with four decimal numbers, IPv6 addresses in brackets.
	// An empty one permits nothing.
	HostSuffixes []string
	// BlockPrivate permits a host only if all of its addresses are globally routable.
	BlockPrivate bool
}

// check holds all but addresses against the policy.
func (p *Policy) check(l *location) *Error {
	same := func(scheme string) bool { return lower(scheme) == l.scheme }
	switch {
	case !slices.ContainsFunc(p.Schemes, same):
		return denied(SchemeDenied, "Scheme '%s' not allowed", l.scheme)
	case !l.hasPort:
		return denied(PortMissing, "Missing URL port")
	case !slices.Contains(p.Ports, l.port):
		return denied(PortDenied, "Port %d not allowed", l.port)
	case l.host == "":
		return denied(HostMissing, "Missing URL host")
	case len(p.HostSuffixes) == 0:
		return denied(HostDenied, "No allowed postback host suffixes configured")
	case !slices.ContainsFunc(p.HostSuffixes, l.under):
		return denied(HostDenied, "Host '%s' not in allowlist", l.host)
	case l.scheme != "http" && l.scheme != "https":
		return denied(Failed, "Scheme '%s' cannot be sent, only http and https", l.scheme)
	}
	return nil
}

// under reports whether the host is suffix, or ends with a dot and suffix.
func (l *location) under(suffix string) bool {
	before, ok := strings.CutSuffix(lower(l.host), lower(suffix))
	return ok && suffix != "" && (before == "" || strings.HasSuffix(before, "."))
}

// lower maps ASCII letters only: no other letter is the same as one of them.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// checkAddresses refuses all if one is not globally routable.
func (p *Policy) checkAddresses(addrs []netip.Addr) *Error {
	for _, addr := range addrs {
		if p.BlockPrivate && !routable(addr) {
			return denied(IPDenied, "IP %s is not globally routable", addr)
		}
	}
	return nil
}
