package egress

import (
	"net/netip"
	"testing"
)

// TestRoutable has the first and the last address of every block, and those beside it.
func TestRoutable(t *testing.T) {
	for _, test := range []struct {
		before, first, last, after string // before and after are routable; "" if there is none
	}{
		{"", "0.0.0.0", "0.255.255.255", "1.0.0.0"},
		{"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
		{"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
		{"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
		{"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
		{"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
		{"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
		{"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
		{"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
		{"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
		{"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
		{"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
		{"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
		{"223.255.255.255", "224.0.0.0", "239.255.255.255", ""},
		{"223.255.255.255", "240.0.0.0", "255.255.255.255", ""},

		{"", "::", "::1", ""},
		{"2000::", "100::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
		{"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
		{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
		{"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
		{"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""},
		{"", "64:ff9b:0:0:0:1::", "64:ff9b:0:0:0:1:808:808", ""},
		{"", "64:ff9a::808:808", "64:ff9c::808:808", ""},
		{"", "::ffff:0:808:808", "::fffe:808:808", ""},
	} {
		for text, want := range map[string]bool{test.before: true, test.first: false, test.last: false, test.after: true} {
			if text != "" && routable(netip.MustParseAddr(text)) != want {
				t.Errorf("%s: routable is %v", text, !want)
			}
		}
	}
}

// TestEmbedded has IPv4 within IPv6.
func TestEmbedded(t *testing.T) {
	for text, want := range map[string]bool{
		"::ffff:8.8.8.8":     true,
		"::ffff:10.0.0.1":    false,
		"::ffff:127.0.0.1":   false,
		"::ffff:169.254.0.1": false,
		"::8.8.8.8":          true,
		"::10.0.0.1":         false,
		"::169.254.169.254":  false,
		"64:ff9b::8.8.8.8":   true,
		"64:ff9b::10.0.0.1":  false,
		"64:ff9b::127.0.0.1": false,

		"2002:808:808::1":                    true, // 6to4 of 8.8.8.8
		"2002:a00:1::1":                      false,
		"2002:7f00:1:ffff::":                 false,
		"2002:c0a8:ffff::808:808":            false,
		"2002:c0a9::":                        true,
		"2001:0:808:808:0:0:f7f7:f7f7":       true, // Teredo: server 8.8.8.8, client 8.8.8.8
		"2001:0:808:808:ffff:ffff:f7f7:f7f7": true,
		"2001:0:808:808:0:0:80ff:fffe":       false, // client 127.0.0.1
		"2001:0:808:808:0:0:5601:5601":       false, // client 169.254.169.254
		"2001:0:a00:1:0:0:f7f7:f7f7":         false, // server 10.0.0.1
		"2001:0:808:808::":                   false, // client 255.255.255.255

		"2606:4700::1111":   true,
		"2001:4860::8888":   true,
		"2606:4700::1%eth0": false,
		"fe80::1%eth0":      false,
	} {
		if routable(netip.MustParseAddr(text)) != want {
			t.Errorf("%s: routable is %v", text, !want)
		}
	}
	if routable(netip.Addr{}) {
		t.Error("no address at all is routable")
	}
}
