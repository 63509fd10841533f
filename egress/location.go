package egress

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	whatwgerrors "github.com/nlnwa/whatwg-url/errors"
	whatwg "github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/text/unicode/norm"
)

// A location is what a URL says, in the form of the URL standard, without a fragment.
type location struct {
	scheme  string
	host    string // a domain in punycode, an IPv4 address, or an IPv6 address in brackets
	port    uint16 // named or by default, if there is one
	hasPort bool
	named   bool   // the port stands in the URL, since it is not the default
	path    string // as it is sent, only with characters of a URI
	query   string // as it is sent, with its question mark
	login   string // user name and password for basic authentication, as a header has them
}

// parse reads a URL as the URL standard does.
func parse(text string) (*location, error) {
	if len(text) > URLBytesMax {
		return nil, fmt.Errorf("%d bytes, at most %d", len(text), URLBytesMax)
	}
	var written string // the host as it was written
	parser := whatwg.NewParser(whatwg.WithPreParseHostFunc(func(_ *whatwg.Url, host string) string {
		written = host
		return host
	}))
	u, err := parser.Parse(text)
	if err != nil {
		return nil, errors.New(string(whatwgerrors.Type(err))) // not its text, which may have a password
	}
	if misread(u, written) {
		return nil, fmt.Errorf("the host '%s' is neither an address nor a name", written)
	}
	l := &location{scheme: u.Scheme(), host: u.Hostname(), path: escape(u.Pathname())}
	if _, query, ok := strings.Cut(u.Href(true), "?"); ok {
		l.query = "?" + query
	}
	if err := l.setPort(u); err != nil {
		return nil, err
	}
	return l, l.setLogin(u)
}

// misread reports a host that the library (v0.6.2) reads though the standard does not,
// or otherwise: it drops brackets within brackets, takes numbers with a sign for parts
// of an IPv4 address, and makes something of labels that begin like punycode and are
// none. Nobody has such a host, so it is refused.
func misread(u *whatwg.Url, written string) bool {
	if u.IsIPv6() {
		return strings.ContainsAny(written[1:len(written)-1], "[]")
	}
	if !u.IsSpecialScheme() {
		return false
	}
	decoded, err := url.PathUnescape(written)
	if err != nil {
		return true
	}
	mapped := lower(norm.NFKC.String(decoded))
	if u.IsIPv4() {
		return strings.ContainsAny(mapped, "+-")
	}
	labels := strings.Split(u.Hostname(), ".")
	for label := range strings.SplitSeq(strings.ReplaceAll(mapped, "\u3002", "."), ".") {
		if strings.HasPrefix(label, "xn--") && !slices.Contains(labels, label) {
			return true
		}
	}
	return false
}

func (l *location) setPort(u *whatwg.Url) error {
	text := u.Port()
	l.named = text != ""
	if !l.named {
		if text = strconv.Itoa(u.DecodedPort()); text == "0" {
			return nil
		}
	}
	port, err := strconv.ParseUint(text, 10, 16)
	l.port, l.hasPort = uint16(port), err == nil
	return err
}

func (l *location) setLogin(u *whatwg.Url) error {
	if u.Username() == "" && u.Password() == "" {
		return nil
	}
	user, err := url.PathUnescape(u.Username())
	if err != nil {
		return errors.New("the user name has a stray %")
	}
	password, err := url.PathUnescape(u.Password())
	if err != nil {
		return errors.New("the password has a stray %")
	}
	l.login = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	return nil
}

// escape percent-encodes what the URL standard leaves in a path though no URI has it.
func escape(path string) string {
	var out strings.Builder
	for i := range len(path) {
		if c := path[i]; c == '|' || c == '^' || c == '%' && !encoded(path[i:]) {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// encoded reports whether text begins with a percent sign and two hexadecimal digits.
func encoded(text string) bool {
	if len(text) < 3 {
		return false
	}
	_, err := strconv.ParseUint(text[1:3], 16, 8)
	return err == nil
}

// authority is what the Host header says.
func (l *location) authority() string {
	if !l.named {
		return l.host
	}
	return l.host + ":" + strconv.Itoa(int(l.port))
}

// url is the location for net/http, which sends path and query as they are here.
func (l *location) url() (*url.URL, error) {
	path, err := url.PathUnescape(l.path)
	if err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: l.scheme, Host: l.authority(), Path: path, RawPath: l.path,
		RawQuery: strings.TrimPrefix(l.query, "?"), ForceQuery: l.query == "?"}
	if !httpguts.ValidHostHeader(u.Host) { // net/http would leave it out
		return nil, fmt.Errorf("the host '%s' cannot be sent", l.host)
	}
	if u.RequestURI() != l.path+l.query || "["+u.Hostname()+"]" != l.host && u.Hostname() != l.host {
		return nil, errors.New("net/http would send it otherwise")
	}
	return u, nil
}

// address is the host, if it is an address.
func (l *location) address() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(l.host, "[]"))
	return addr, err == nil
}
