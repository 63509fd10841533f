package egress

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// answers is a resolver that gives one list of addresses after another, the last again
// and again.
type answers struct {
	mu    sync.Mutex
	lists [][]netip.Addr
	asked []string
}

func resolver(lists ...string) *answers {
	a := &answers{}
	for _, text := range lists {
		var list []netip.Addr
		for _, addr := range strings.Fields(text) {
			list = append(list, netip.MustParseAddr(addr))
		}
		a.lists = append(a.lists, list)
	}
	return a
}

func (a *answers) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.lists[min(len(a.asked), len(a.lists)-1)]
	a.asked = append(a.asked, network+" "+host)
	return list, nil
}

// failing is a resolver of no use. It waits as long as it may if it has no error.
type failing struct{ err error }

func (f failing) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	if f.err == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, f.err
}

// careful is a policy that permits the hosts at http and https and blocks private
// addresses.
func careful(hosts ...string) Policy {
	return Policy{Schemes: []string{"http", "https"}, Ports: []uint16{80, 443}, HostSuffixes: hosts, BlockPrivate: true}
}

func TestPermitAddresses(t *testing.T) {
	many := func(n int, last string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("8.8.%d.%d", i/256, i%256))
		}
		return strings.Join(append(list, last), " ")
	}
	for _, test := range []struct{ host, addrs, want string }{
		{"receiver.test", "8.8.8.8", "8.8.8.8"},
		{"receiver.test", "8.8.8.8 2606:4700::1111", "8.8.8.8 2606:4700::1111"},
		{"receiver.test", "::ffff:8.8.8.8", "8.8.8.8"}, // net.Resolver gives IPv4 like this
		{"receiver.test", "8.8.8.8 10.0.0.1", "ip_denied: IP 10.0.0.1 is not globally routable"},
		{"receiver.test", "10.0.0.1 8.8.8.8", "ip_denied: IP 10.0.0.1 is not globally routable"},
		{"receiver.test", "8.8.8.8 ::ffff:169.254.169.254", "ip_denied: IP 169.254.169.254 is not globally routable"},
		{"receiver.test", "8.8.8.8 fe80::1%eth0", "ip_denied: IP fe80::1%eth0 is not globally routable"},
		{"receiver.test", "64:ff9b::a00:1", "ip_denied: IP 64:ff9b::a00:1 is not globally routable"},
		{"receiver.test", "", "dns_failed: host 'receiver.test' has no address"},
		{"receiver.test", many(AddressesMax, "9.9.9.9"), strings.TrimSuffix(many(AddressesMax, ""), " ")},
		{"receiver.test", many(1000, "10.0.0.1"), "ip_denied: IP 10.0.0.1 is not globally routable"},

		// Addresses are not asked for.
		{"8.8.8.8", "10.0.0.1", "8.8.8.8"},
		{"127.0.0.1", "8.8.8.8", "ip_denied: IP 127.0.0.1 is not globally routable"},
		{"2130706433", "8.8.8.8", "ip_denied: IP 127.0.0.1 is not globally routable"},
		{"0xa9fea9fe", "8.8.8.8", "ip_denied: IP 169.254.169.254 is not globally routable"},
		{"[::1]", "8.8.8.8", "ip_denied: IP ::1 is not globally routable"},
		{"[2606:4700:0::1111]", "10.0.0.1", "2606:4700::1111"},
		{"[::ffff:8.8.8.8]", "10.0.0.1", "8.8.8.8"},
		{"[::ffff:10.0.0.1]", "8.8.8.8", "ip_denied: IP 10.0.0.1 is not globally routable"},
		{"[2002:7f00:1::]", "8.8.8.8", "ip_denied: IP 2002:7f00:1:: is not globally routable"},
	} {
		dns := resolver(test.addrs)
		policy := careful("receiver.test", "1", "8", "254", "[::1]", "[2606:4700::1111]", "[::ffff:808:808]", "[::ffff:a00:1]", "[2002:7f00:1::]")
		target, err := New(Options{Policy: policy, Resolver: dns}).Permit(t.Context(), "https://"+test.host+"/")
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = strings.Trim(fmt.Sprint(target.Addresses()), "[]")
		}
		if got != test.want {
			t.Errorf("%s at %.80s: %s, want %s", test.host, test.addrs, got, test.want)
		}
		want := []string{"ip receiver.test"}
		if test.host != "receiver.test" {
			want = nil
		}
		if !slices.Equal(dns.asked, want) {
			t.Errorf("%s: the resolver was asked for %q", test.host, dns.asked)
		}
	}
}

func TestPermitNoAnswer(t *testing.T) {
	for _, test := range []struct {
		resolver Resolver
		want     string
	}{
		{failing{errors.New("no such host")}, "dns_failed: no such host"},
		{failing{errors.New("a\xffb" + strings.Repeat("\u00e9", MessageBytesMax))}, "dns_failed: ab" + strings.Repeat("\u00e9", (MessageBytesMax-3)/2)},
		{failing{}, "dns_failed: context deadline exceeded"},
	} {
		c := New(Options{Policy: careful("receiver.test"), Resolver: test.resolver, Timeout: time.Millisecond})
		if _, err := c.Permit(t.Context(), "http://receiver.test/"); err == nil || err.Error() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}
