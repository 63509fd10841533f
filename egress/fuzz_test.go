package egress

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"
)

// FuzzParse: what a URL is read as is read as itself, and net/http sends it to the same
// host.
func FuzzParse(f *testing.F) {
	for _, pair := range hrefs(f) {
		f.Add(*pair[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parse(text)
		if err != nil || l.scheme != "http" && l.scheme != "https" {
			return
		}
		shown := (&Target{location: l}).URL()
		if len(shown) <= URLBytesMax {
			again, err := parse(shown)
			if err != nil {
				t.Fatalf("%q is read as %q, and that is refused: %v", text, shown, err)
			}
			again.login = l.login
			if *again != *l {
				t.Fatalf("%q is read as %+v, and that as %+v", text, l, again)
			}
		}
		if l.host == "" || !l.hasPort || strings.ContainsAny(l.path+l.query, " \t\r\n\x00") {
			t.Fatalf("%q is read as %+v", text, l)
		}
		if u, err := l.url(); err != nil {
			if !httpguts.ValidHostHeader(l.host) {
				return
			}
			t.Fatalf("%q is read as %q: %v", text, shown, err)
		} else if std, err := url.Parse(shown); err == nil && (std.Hostname() != u.Hostname() || std.Port() != u.Port() || std.RequestURI() != u.RequestURI()) {
			t.Fatalf("%q is read as %q, and by net/url as %q", text, shown, std)
		}
	})
}

// inside says of an address what the standard library knows to be nobody's outside.
func inside(addr netip.Addr) bool {
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() ||
		!addr.IsGlobalUnicast() || addr.Zone() != ""
}

// FuzzPermit: whatever URL a program names and whatever the DNS answers, only public
// addresses are dialled, at the port that was permitted, and the request is for the
// host that was.
func FuzzPermit(f *testing.F) {
	public, private := netip.MustParseAddr("8.8.8.8").As16(), netip.MustParseAddr("10.0.0.1").As16()
	for _, pair := range hrefs(f) {
		f.Add(*pair[0], public[:])
	}
	f.Add("http://receiver.test/", append(public[:], private[:]...))
	f.Add("http://receiver.test/", private[:])
	f.Fuzz(func(t *testing.T, text string, answer []byte) {
		dns := &answers{lists: [][]netip.Addr{nil, {netip.MustParseAddr("127.0.0.1")}}}
		for len(answer) >= 16 {
			dns.lists[0] = append(dns.lists[0], netip.AddrFrom16([16]byte(answer)))
			answer = answer[16:]
		}
		l, err := parse(text)
		if err != nil {
			return
		}
		c := New(Options{Timeout: time.Second, Resolver: dns,
			Policy: Policy{Schemes: []string{l.scheme}, Ports: []uint16{l.port}, HostSuffixes: []string{l.host}, BlockPrivate: true}})
		target, denied := c.Permit(t.Context(), text)
		if denied != nil {
			return
		}
		host := make(chan string, 1)
		c.dial = func(_ context.Context, _, address string) (net.Conn, error) {
			to, err := netip.ParseAddrPort(address)
			if err != nil || to.Port() != l.port || inside(to.Addr()) || !routable(to.Addr()) {
				t.Errorf("%q: dialled %s", text, address)
			}
			conn, receiver := net.Pipe()
			go func() {
				defer receiver.Close()
				r, err := http.ReadRequest(bufio.NewReader(receiver))
				if err == nil {
					host <- r.Host
					io.WriteString(receiver, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			}()
			return conn, nil
		}
		got := c.Send(t.Context(), target, &Request{})
		if got.Status == 204 {
			if h := <-host; h != l.authority() {
				t.Errorf("%q: asked for host %q, permitted %q", text, h, l.authority())
			}
		}
	})
}

// FuzzRoutable holds addresses against what the standard library knows, and IPv4 within
// IPv6 against itself.
func FuzzRoutable(f *testing.F) {
	for _, text := range []string{"::", "::1", "8.8.8.8", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001::f5ff:fffe", "fe80::1"} {
		a := netip.MustParseAddr(text).As16()
		f.Add(a[:])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 16 {
			return
		}
		addr := netip.AddrFrom16([16]byte(data))
		if routable(addr) && inside(addr.Unmap()) {
			t.Errorf("%s is routable", addr)
		}
		if routable(addr) != routable(addr.Unmap()) || routable(addr.WithZone("eth0")) && !addr.Is4In6() {
			t.Errorf("%s is judged in two ways", addr)
		}
		four := netip.AddrFrom4([4]byte(data))
		text := four.String()
		sixToFour := [16]byte{0x20, 0x02, data[0], data[1], data[2], data[3]}
		copy(sixToFour[6:], data[6:])
		for _, six := range []netip.Addr{netip.MustParseAddr("::ffff:" + text), netip.MustParseAddr("::" + text), netip.MustParseAddr("64:ff9b::" + text), netip.AddrFrom16(sixToFour)} {
			if routable(six) != routable(four) {
				t.Errorf("%s is routable: %v, %s: %v", six, routable(six), text, routable(four))
			}
		}
	})
}

// FuzzVerify: whatever stands in the headers, what the key did not sign is not verified.
func FuzzVerify(f *testing.F) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(signed(f, full()))))
	if err != nil {
		f.Fatal(err)
	}
	input, signature := r.Header.Get(signatureInputHeader), r.Header.Get(signatureHeader)
	f.Add(input, signature, "/hooks/7?a=%20b", "application/json")
	f.Add(`x=("a";b="\",");c,`+input, `y=:AA==:,`+signature, "/", "a/b")
	f.Add(`"`, `\`, "", "")
	f.Fuzz(func(t *testing.T, input, signature, uri, contentType string) {
		got := r.Clone(t.Context())
		got.RequestURI = uri
		got.Header.Set(signatureInputHeader, input)
		got.Header.Set(signatureHeader, signature)
		got.Header.Set("Content-Type", contentType)
		_, err := Verify(got, full().Body, public25519(t))
		same := receivedURI(got) == receivedURI(r) && strings.Trim(contentType, " \t") == "application/json"
		if err == nil && !same {
			t.Errorf("verified: %q, %q, %q, %q", input, signature, uri, contentType)
		}
	})
}
