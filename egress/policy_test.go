package egress

import (
	"context"
	"net/netip"
	"testing"
)

// nowhere has no host, and counts the questions.
type nowhere struct{ asked int }

func (n *nowhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	n.asked++
	return nil, nil
}

func TestPolicy(t *testing.T) {
	web := Policy{Schemes: []string{"https"}, Ports: []uint16{443}, HostSuffixes: []string{"example.com"}}
	hosts := func(suffixes ...string) Policy {
		return Policy{Schemes: []string{"http"}, Ports: []uint16{80}, HostSuffixes: suffixes}
	}
	other := Policy{Schemes: []string{"ftp", "foo", "file", "WSS"}, Ports: []uint16{21, 443, 7}, HostSuffixes: []string{"example.com"}}
	denied := func(host string) string { return "host_denied: Host '" + host + "' not in allowlist" }

	for _, test := range []struct {
		policy Policy
		url    string
		want   string // "" if permitted
	}{
		{web, "https://example.com/", ""},
		{web, "HTTPS://EXAMPLE.COM", ""},
		{web, "https://a.example.com/", ""},
		{web, "https://a.b.Example.com:443/", ""},
		{web, "https://badexample.com/", denied("badexample.com")},
		{web, "https://example.com.evil.test/", denied("example.com.evil.test")},
		{web, "https://example.com@evil.test/", denied("evil.test")},
		{web, "https://example.com./", denied("example.com.")},
		{web, "https://evil.test/example.com", denied("evil.test")},
		{web, "https://evil.test\\.example.com/", denied("evil.test")},
		{web, "https://com/", denied("com")},

		// In this order.
		{web, "", "invalid_url: The input is missing a scheme, because it does not begin with an ASCII alpha, and either no base URL was provided or the base URL cannot be used as a base URL because it has an opaque path"},
		{web, "https://", "invalid_url: The input has a special scheme, but does not contain a host"},
		{web, "https://example.com:99999/", "invalid_url: The input's port is outside the range [0-65535]"},
		{web, "http://evil.test:1/", "scheme_denied: Scheme 'http' not allowed"},
		{web, "javascript:alert(1)", "scheme_denied: Scheme 'javascript' not allowed"},
		{web, "https://evil.test:80/", "port_denied: Port 80 not allowed"},
		{web, "https://evil.test:0/", "port_denied: Port 0 not allowed"},
		{other, "foo://evil.test/", "port_missing: Missing URL port"},
		{other, "file:///etc/passwd", "port_missing: Missing URL port"},
		{other, "foo://evil.test:8/", "port_denied: Port 8 not allowed"},
		{other, "foo://evil.test:7/", denied("evil.test")},
		{other, "ftp://evil.test/", denied("evil.test")},
		{other, "ftp://example.com/", "failed: Scheme 'ftp' cannot be sent, only http and https"},
		{other, "foo://example.com:7/", "failed: Scheme 'foo' cannot be sent, only http and https"},
		{other, "wss://example.com/", "failed: Scheme 'wss' cannot be sent, only http and https"},

		{Policy{}, "https://example.com/", "scheme_denied: Scheme 'https' not allowed"},
		{hosts(), "http://example.com/", "host_denied: No allowed postback host suffixes configured"},
		{hosts(""), "http://example.com/", denied("example.com")},
		{hosts(""), "http://example.com./", denied("example.com.")},
		{hosts("EXAMPLE.com"), "http://a.example.COM/", ""},
		{hosts(".example.com"), "http://a.example.com/", denied("a.example.com")},
		{hosts(".example.com"), "http://.example.com/", ""},
		{hosts(" example.com"), "http://example.com/", denied("example.com")},
		{hosts("example.com "), "http://example.com/", denied("example.com")},
		{hosts("*"), "http://example.com/", denied("example.com")},
		{hosts("*.example.com"), "http://a.example.com/", denied("a.example.com")},
		{hosts("x.test", "com"), "http://example.com/", ""},
		{hosts("b\u00fccher.example"), "http://b\u00fccher.example/", denied("xn--bcher-kva.example")},
		{hosts("xn--bcher-kva.example"), "http://a.b\u00fccher.example/", ""},
		{hosts("\u212aelvin.test"), "http://kelvin.test/", denied("kelvin.test")}, // the sign for kelvin

		{hosts(`"`), `http://"/`, "invalid_url: the host '\"' cannot be sent"},
		{hosts("test"), "http://a{}`.test/", "invalid_url: the host 'a{}`.test' cannot be sent"},
		{hosts("test"), "http://a!$&'()*+,;=~_.test/", ""},

		// Addresses are text as well.
		{hosts("127.0.0.1"), "http://0x7f.1/", ""},
		{hosts("0.0.1"), "http://127.0.0.1/", ""},
		{hosts("0.1"), "http://127.0.0.1/", ""},
		{hosts("1"), "http://127.0.0.1/", ""},
		{hosts("0.0.1"), "http://127.10.0.1/", denied("127.10.0.1")},
		{hosts("0x7f.1"), "http://0x7f.1/", denied("127.0.0.1")},
		{hosts("[::1]"), "http://[0:0::1]/", ""},
		{hosts("::1"), "http://[::1]/", denied("[::1]")},
	} {
		resolver := &nowhere{}
		_, err := New(Options{Policy: test.policy, Resolver: resolver}).Permit(t.Context(), test.url)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v, %s: %q, want %q", test.policy, test.url, got, test.want)
		}
		if resolver.asked > 0 {
			t.Errorf("%s: the resolver was asked though no address is blocked", test.url)
		}
	}
}
