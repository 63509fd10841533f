package egress

import "net/netip"

// A block is a range of addresses that nobody reaches over the public internet, or
// that no receiver of a postback has.
type block struct {
	prefix netip.Prefix
	reason string
}

var blocks4 = []block{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by customers of a carrier"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local, and metadata of clouds"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relays"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved, and broadcast"},
}

// global6 is all of IPv6 that was ever given out as global unicast. What is outside of
// it needs no block: loopback, unspecified, fc00::/7 (private), fe80::/10 (link-local),
// fec0::/10 (site-local), ff00::/8 (multicast), 100::/64 (discard), 5f00::/16 (segment
// routing), 64:ff9b:1::/48 (NAT64 inside of a network).
var global6 = netip.MustParsePrefix("2000::/3")

var blocks6 = []block{
	{netip.MustParsePrefix("2001::/23"), "protocol assignments: benchmarks, ORCHID, anycast"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
}

// An embedding is a range of IPv6 whose packets end at an IPv4 address that is within
// the IPv6 address, at the offset. If inverted, all bits of it are.
type embedding struct {
	prefix   netip.Prefix
	offset   int // in bytes
	inverted bool
}

// IPv4-mapped addresses (::ffff:0:0/96) are not here: they are IPv4 once unmapped.
// Of Teredo, both the server and the client must be routable. Nobody serves a postback
// there, but what a relay does with one is the same as for the others.
var embeddings = []embedding{
	{prefix: netip.MustParsePrefix("::/96"), offset: 12},                     // IPv4-compatible; :: and ::1 with it
	{prefix: netip.MustParsePrefix("64:ff9b::/96"), offset: 12},              // NAT64
	{prefix: netip.MustParsePrefix("2002::/16"), offset: 2},                  // 6to4
	{prefix: netip.MustParsePrefix("2001::/32"), offset: 4},                  // Teredo, server
	{prefix: netip.MustParsePrefix("2001::/32"), offset: 12, inverted: true}, // Teredo, client
}

// routable reports whether addr can be reached from everywhere, and is nobody's
// inside. An address with a zone is not.
func routable(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return false
	case addr.Is4():
		return !blocked(blocks4, addr)
	}
	embeds := false
	for _, e := range embeddings {
		if e.prefix.Contains(addr) {
			if !routable(e.inner(addr)) {
				return false
			}
			embeds = true
		}
	}
	return embeds || global6.Contains(addr) && !blocked(blocks6, addr)
}

func (e embedding) inner(addr netip.Addr) netip.Addr {
	outer := addr.As16()
	inner := [4]byte(outer[e.offset:])
	if e.inverted {
		for i := range inner {
			inner[i] = ^inner[i]
		}
	}
	return netip.AddrFrom4(inner)
}

func blocked(blocks []block, addr netip.Addr) bool {
	for _, b := range blocks {
		if b.prefix.Contains(addr) {
			return true
		}
	}
	return false
}
