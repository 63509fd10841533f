package egress

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A network stands for the internet: it notes what is dialled, and leads all of it to
// one listener.
type network struct {
	address string
	mu      sync.Mutex
	dialled []string
	refuse  int // the first dials that fail
}

func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialled = append(n.dialled, address)
	refused := len(n.dialled) <= n.refuse
	n.mu.Unlock()
	if refused {
		return nil, errors.New("connection refused")
	}
	return new(net.Dialer).DialContext(ctx, network, n.address)
}

// through makes a client of which all connections end at a server.
func through(server *httptest.Server, options Options) (*Client, *network) {
	n := &network{address: server.Listener.Addr().String()}
	c := New(options)
	c.dial = n.dial
	return c, n
}

// serve starts a receiver. Its handlers end with the test.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// raw starts a receiver that speaks no HTTP but what is written for it.
func raw(t *testing.T, speak func(conn net.Conn)) *httptest.Server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				speak(conn)
			}()
		}
	}()
	return &httptest.Server{Listener: listener}
}

func permit(t *testing.T, c *Client, url string) *Target {
	t.Helper()
	target, err := c.Permit(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// public is a policy and a host with two addresses.
func public() Options {
	return Options{Policy: careful("receiver.test"), Resolver: resolver("8.8.8.8 9.9.9.9")}
}

func TestSendWire(t *testing.T) {
	for _, test := range []struct {
		name, url string
		request   Request
		want      string
	}{
		{"nothing", "http://receiver.test", Request{}, "POST / HTTP/1.1\nHost: receiver.test\nUser-Agent: carrel/1\nContent-Length: 0\nConnection: close\n\n"},
		{"all", "http://user:pass@Receiver.test:80/a%20|b/..//?c=%zz#d",
			Request{Method: "pAtCh", Body: []byte(`{"a":1}`), ContentType: "application/json", Key: "turn-7", Receipt: []byte("receipt"),
				Headers: []Header{{"x-one", "1"}, {"X-Two", "a b"}, {"X-ONE", "2"}, {"X-Three", "\u00e9"}, {"X-Empty", ""}}},
			"pAtCh //?c=%zz HTTP/1.1\nHost: receiver.test\nUser-Agent: carrel/1\nContent-Length: 7\nAuthorization: Basic dXNlcjpwYXNz\n" +
				"Carrel-Receipt: cmVjZWlwdA==\nContent-Type: application/json\nIdempotency-Key: turn-7\n" +
				"X-Empty: \nX-One: 1\nX-One: 2\nX-Three: \u00e9\nX-Two: a b\nConnection: close\n\n" + `{"a":1}`},
		{"what headers have goes first", "http://user@receiver.test:443/x", // http at another port
			Request{Method: "GET", ContentType: "text/plain", Key: "1", Receipt: []byte{},
				Headers: []Header{{"content-type", "text/csv"}, {"idempotency-key", "2"}, {"user-agent", "me"}, {"authorization", "Bearer x"}}},
			"GET /x HTTP/1.1\nHost: receiver.test:443\nUser-Agent: me\nAuthorization: Bearer x\nCarrel-Receipt: \nContent-Type: text/csv\nIdempotency-Key: 2\nConnection: close\n\n"},
		{"no method", "http://receiver.test/", Request{Method: "A B"}, "POST / HTTP/1.1\nHost: receiver.test\nUser-Agent: carrel/1\nContent-Length: 0\nConnection: close\n\n"},
		{"long method", "http://receiver.test/", Request{Method: long(MethodBytesMax + 1)}, "POST / HTTP/1.1\nHost: receiver.test\nUser-Agent: carrel/1\nContent-Length: 0\nConnection: close\n\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got bytes.Buffer
			done := make(chan struct{})
			server := raw(t, func(conn net.Conn) {
				defer close(done)
				r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &got)))
				if err == nil {
					_, err = io.Copy(io.Discard, r.Body)
				}
				if err != nil {
					t.Error(err)
				}
				fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\n\r\n")
			})
			c, _ := through(server, public())
			answer := c.Send(t.Context(), permit(t, c, test.url), &test.request)
			if answer.Err != nil || answer.Status != 204 || answer.Attempts != 1 {
				t.Fatalf("%+v", answer)
			}
			<-done
			if text := strings.ReplaceAll(got.String(), "\r\n", "\n"); text != test.want {
				t.Errorf("sent\n%s\nwant\n%s", text, test.want)
			}
		})
	}
}

func TestSendRefused(t *testing.T) {
	header := func(name, value string) Request { return Request{Headers: []Header{{name, value}}} }
	signer := testSigner(t)
	for _, test := range []struct {
		name    string
		signer  *Signer
		request Request
		want    string
	}{
		{"no name", nil, header("", "x"), `invalid_header: Header name "" is invalid`},
		{"name with blank", nil, header("a b", "x"), `invalid_header: Header name "a b" is invalid`},
		{"name with line break", nil, header("a\r\nHost", "x"), `invalid_header: Header name "a\r\nHost" is invalid`},
		{"name with colon", nil, header("a:", "x"), `invalid_header: Header name "a:" is invalid`},
		{"name beyond ASCII", nil, header("\u00e9", "x"), "invalid_header: Header name \"\u00e9\" is invalid"},
		{"CR LF", nil, header("a", "x\r\nHost: y"), "invalid_header: Header 'a' has a line break or another control character"},
		{"LF", nil, header("a", "x\ny"), "invalid_header: Header 'a' has a line break or another control character"},
		{"NUL", nil, header("a", "x\x00y"), "invalid_header: Header 'a' has a line break or another control character"},
		{"content type", nil, Request{ContentType: "a\nb"}, "invalid_header: Header 'Content-Type' has a line break or another control character"},
		{"key", nil, Request{Key: "a\rb"}, "invalid_header: Header 'Idempotency-Key' has a line break or another control character"},
		{"Host", nil, header("hOST", "x"), "invalid_header: Header 'hOST' cannot be set"},
		{"Content-Length", nil, header("content-length", "1"), "invalid_header: Header 'content-length' cannot be set"},
		{"Transfer-Encoding", nil, header("Transfer-Encoding", "chunked"), "invalid_header: Header 'Transfer-Encoding' cannot be set"},
		{"Connection", nil, header("Connection", "upgrade"), "invalid_header: Header 'Connection' cannot be set"},
		{"Keep-Alive", nil, header("Keep-Alive", "x"), "invalid_header: Header 'Keep-Alive' cannot be set"},
		{"Proxy-Authorization", nil, header("Proxy-Authorization", "x"), "invalid_header: Header 'Proxy-Authorization' cannot be set"},
		{"Proxy-Connection", nil, header("Proxy-Connection", "x"), "invalid_header: Header 'Proxy-Connection' cannot be set"},
		{"TE", nil, header("TE", "trailers"), "invalid_header: Header 'TE' cannot be set"},
		{"Trailer", nil, header("Trailer", "x"), "invalid_header: Header 'Trailer' cannot be set"},
		{"Upgrade", nil, header("Upgrade", "h2c"), "invalid_header: Header 'Upgrade' cannot be set"},
		{"Expect", nil, header("Expect", "100-continue"), "invalid_header: Header 'Expect' cannot be set"},
		{"HTTP2-Settings", nil, header("HTTP2-Settings", "x"), "invalid_header: Header 'HTTP2-Settings' cannot be set"},
		{"Carrel-Receipt", nil, header("carrel-receipt", "x"), "invalid_header: Header 'carrel-receipt' cannot be set"},
		{"Signature, signed", signer, header("signature", "x"), "invalid_header: Header 'signature' cannot be set"},
		{"Signature-Input, signed", signer, header("Signature-Input", "x"), "invalid_header: Header 'Signature-Input' cannot be set"},
		{"Content-Digest, signed", signer, header("Content-Digest", "x"), "invalid_header: Header 'Content-Digest' cannot be set"},
		{"Signature", nil, header("Signature", "x"), ""},
		{"many headers", nil, Request{Headers: slices.Repeat([]Header{{"a", ""}}, HeadersMax+1)}, "invalid_header: 65 headers, at most 64"},
		{"as many as can be", nil, Request{Headers: slices.Repeat([]Header{{"a", ""}}, HeadersMax)}, ""},
		{"large headers", nil, header("a", long(HeaderBytesMax)), "invalid_header: Headers of 16385 bytes, at most 16384"},
		{"as large as can be", nil, header("a", long(HeaderBytesMax-1)), ""},
		{"large key", nil, Request{Key: long(HeaderBytesMax + 1)}, "invalid_header: Headers of 16385 bytes, at most 16384"},
		{"large body", nil, Request{Body: make([]byte, RequestBytesMax+1)}, "too_large: Body of 67108865 bytes, at most 67108864"},
		{"large receipt", nil, Request{Receipt: make([]byte, ReceiptBytesMax+1)}, "too_large: Receipt of 49153 bytes, at most 49152"},
		{"as large a receipt as can be", nil, Request{Receipt: make([]byte, ReceiptBytesMax)}, ""},
		{"tunnel", nil, Request{Method: "CONNECT"}, "invalid_method: Method 'CONNECT' not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := public()
			options.Signer = test.signer
			c, n := through(serve(t, func(http.ResponseWriter, *http.Request) {}), options)
			answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &test.request)
			got, attempts := "", 1
			if answer.Err != nil {
				got, attempts = answer.Err.Error(), 0
			}
			if got != test.want || answer.Attempts != attempts || len(n.dialled) != attempts {
				t.Errorf("%q after %d attempts, want %q", got, answer.Attempts, test.want)
			}
		})
	}
}

// TestSendAnswer has receivers that answer, in whatever way.
func TestSendAnswer(t *testing.T) {
	var squeezed bytes.Buffer
	z := gzip.NewWriter(&squeezed)
	z.Write(make([]byte, 10<<20))
	z.Close()

	say := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for _, test := range []struct {
		name  string
		speak func(w http.ResponseWriter)
		want  Answer
	}{
		{"200", say(200, "ok"), Answer{Status: 200, Body: []byte("ok")}},
		{"299", say(299, ""), Answer{Status: 299, Body: []byte{}}},
		{"404", say(404, "no"), Answer{Status: 404, Body: []byte("no")}},
		{"500", say(500, "oh"), Answer{Status: 500, Body: []byte("oh")}},
		{"all of it", say(200, long(BodyKeepDefault)), Answer{Status: 200, Body: []byte(long(BodyKeepDefault))}},
		{"a byte more", say(200, long(BodyKeepDefault+1)), Answer{Status: 200, Body: []byte(long(BodyKeepDefault)), Truncated: true}},
		{"redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://169.254.169.254/latest/meta-data/")
			w.WriteHeader(302)
		}, Answer{Status: 302, Body: []byte{}}},
		{"redirect with the method kept", func(w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(307)
		}, Answer{Status: 307, Body: []byte{}}},
		{"compressed", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(squeezed.Bytes())
		}, Answer{Status: 200, Body: squeezed.Bytes()[:BodyKeepDefault], Truncated: true}},
		{"body breaks off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "abc")
		}, Answer{Status: 200, Body: []byte("abc"), Truncated: true}},
		{"interim", func(w http.ResponseWriter) {
			w.WriteHeader(103)
			w.WriteHeader(201)
		}, Answer{Status: 201, Body: []byte{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, n := through(serve(t, func(w http.ResponseWriter, _ *http.Request) { test.speak(w) }), public())
			got := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{Retries: 5})
			if got.Err != nil || got.Status != test.want.Status || !bytes.Equal(got.Body, test.want.Body) || got.Truncated != test.want.Truncated || got.Attempts != 1 {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			if got.OK() != (got.Status/100 == 2) {
				t.Errorf("%d is ok: %v", got.Status, got.OK())
			}
			if want := []string{"8.8.8.8:80"}; !slices.Equal(n.dialled, want) {
				t.Errorf("dialled %q, want %q", n.dialled, want)
			}
		})
	}
}

// TestSendHostile has receivers that never come to an end. How long that takes is for
// go test to say; what it takes of memory is bounded by what the receiver got rid of.
func TestSendHostile(t *testing.T) {
	const slack = 32 << 20 // what the system's own buffers may hold
	forever := func(conn net.Conn, first, again string) (sent int) {
		n, err := io.WriteString(conn, first)
		for sent = n; err == nil; sent += n {
			n, err = io.WriteString(conn, again)
		}
		return sent
	}
	slowly := func(conn net.Conn, text string) {
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	listen := func(conn net.Conn) { http.ReadRequest(bufio.NewReader(conn)) }
	hang := func(conn net.Conn) { io.Copy(io.Discard, conn) }
	chunk := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"

	for _, test := range []struct {
		name      string
		speak     func(conn net.Conn) int
		status    int // 0: failed
		truncated bool
	}{
		{"says nothing", func(conn net.Conn) int { hang(conn); return 0 }, 0, false},
		{"hangs up", func(conn net.Conn) int { listen(conn); return 0 }, 0, false},
		{"hangs up at once", func(net.Conn) int { return 0 }, 0, false},
		{"no HTTP", func(conn net.Conn) int { return forever(conn, "", long(1<<16)) }, 0, false},
		{"another HTTP", func(conn net.Conn) int { return forever(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00") }, 0, false},
		{"endless status line", func(conn net.Conn) int { return forever(conn, "HTTP/1.1 200 ", long(1<<16)) }, 0, false},
		{"endless header", func(conn net.Conn) int { return forever(conn, "HTTP/1.1 200 OK\r\n", "A: "+long(1<<10)+"\r\n") }, 0, false},
		{"endless header line", func(conn net.Conn) int { return forever(conn, "HTTP/1.1 200 OK\r\nA: ", long(1<<16)) }, 0, false},
		{"interim answers forever", func(conn net.Conn) int { listen(conn); return forever(conn, "", "HTTP/1.1 103 Early Hints\r\n\r\n") }, 0, false},
		{"continues forever", func(conn net.Conn) int { listen(conn); return forever(conn, "", "HTTP/1.1 100 Continue\r\n\r\n") }, 0, false},
		{"drips its head", func(conn net.Conn) int { slowly(conn, "HTTP/1.1 200 OK\r\nA: "+long(1<<20)); return 0 }, 0, false},
		{"bad chunks", func(conn net.Conn) int {
			return forever(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "zz\r\n")
		}, 200, true},
		{"hangs in its body", func(conn net.Conn) int {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
			hang(conn)
			return 0
		}, 200, true},
		{"drips its body", func(conn net.Conn) int {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
			slowly(conn, "abc")
			return 0
		}, 200, true},
		{"10 GB", func(conn net.Conn) int {
			return forever(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", long(1<<16))
		}, 200, true},
		{"endless body", func(conn net.Conn) int { return forever(conn, "HTTP/1.1 200 OK\r\n\r\n", long(1<<16)) }, 200, true},
		{"endless chunks", func(conn net.Conn) int {
			return forever(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)
		}, 200, true},
		{"endless chunk extension", func(conn net.Conn) int {
			return forever(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", long(1<<16))
		}, 200, true},
		{"endless trailer", func(conn net.Conn) int {
			return forever(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: "+long(1<<10)+"\r\n")
		}, 200, true},
		{"another protocol", func(conn net.Conn) int {
			listen(conn)
			return forever(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", long(1<<16))
		}, 101, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sent := make(chan int, 1)
			server := raw(t, func(conn net.Conn) { sent <- test.speak(conn) })
			options := public()
			options.Timeout = 300 * time.Millisecond
			if test.status != 0 {
				options.Timeout = 3 * time.Second // its head must come, on a busy host too
			}
			c, _ := through(server, options)
			answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{Body: []byte("x")})
			if answer.Status != test.status || answer.Truncated != test.truncated || (answer.Err != nil) != (test.status == 0) {
				t.Errorf("%d, truncated %v, %v", answer.Status, answer.Truncated, answer.Err)
			}
			if answer.Err != nil && (answer.Err.Code != Failed || len(answer.Err.Message) > MessageBytesMax) {
				t.Errorf("%+v", answer.Err)
			}
			if len(answer.Body) > BodyKeepDefault {
				t.Errorf("%d bytes of its body were kept", len(answer.Body))
			}
			if n := <-sent; n > slack {
				t.Errorf("%d bytes were taken from it", n)
			}
		})
	}
}

// TestSendSilent: what a receiver says before it is asked is an answer to nothing, and
// nothing for the log of this process.
func TestSendSilent(t *testing.T) {
	var printed bytes.Buffer
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	for range 20 {
		c, _ := through(raw(t, func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"+long(1000))
			io.Copy(io.Discard, conn)
		}), public())
		c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{})
	}
	if printed.Len() > 0 {
		t.Errorf("printed %s", &printed)
	}
}

// TestSendPinned: the second answer of a resolver must not matter.
func TestSendPinned(t *testing.T) {
	dns := resolver("8.8.8.8 9.9.9.9", "127.0.0.1")
	c, n := through(serve(t, func(http.ResponseWriter, *http.Request) {}), Options{Policy: careful("receiver.test"), Resolver: dns})
	target := permit(t, c, "http://receiver.test/")
	n.refuse = 3
	answer := c.Send(t.Context(), target, &Request{Retries: 1})
	if answer.Err != nil || answer.Attempts != 2 {
		t.Errorf("%+v", answer)
	}
	if want := []string{"8.8.8.8:80", "9.9.9.9:80", "8.8.8.8:80", "9.9.9.9:80"}; !slices.Equal(n.dialled, want) {
		t.Errorf("dialled %q, want %q", n.dialled, want)
	}
	if len(dns.asked) != 1 {
		t.Errorf("the resolver was asked %d times", len(dns.asked))
	}
}

// TestSendUnpinned: where any address will do, each attempt asks anew.
func TestSendUnpinned(t *testing.T) {
	dns := resolver("", "127.0.0.1", "127.0.0.2 10.0.0.1")
	policy := careful("receiver.test")
	policy.BlockPrivate = false
	c, n := through(serve(t, func(http.ResponseWriter, *http.Request) {}), Options{Policy: policy, Resolver: dns})
	n.refuse = 2
	answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{Retries: 2})
	if answer.Err != nil || answer.Attempts != 3 {
		t.Errorf("%+v", answer)
	}
	if want := []string{"127.0.0.1:80", "127.0.0.2:80", "10.0.0.1:80"}; !slices.Equal(n.dialled, want) {
		t.Errorf("dialled %q, want %q", n.dialled, want)
	}
}

func TestSendRetries(t *testing.T) {
	for _, test := range []struct {
		refuse, retries int
		attempts        int
		ok              bool
	}{
		{0, 3, 1, true},
		{1, 0, 1, false},
		{1, 1, 2, true},
		{3, 3, 4, true},
		{4, 3, 4, false},
		{1000, 1 << 31, RetriesMax + 1, false},
	} {
		options := public()
		options.Resolver = resolver("8.8.8.8")
		c, n := through(serve(t, func(http.ResponseWriter, *http.Request) {}), options)
		n.refuse = test.refuse
		answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{Retries: uint32(test.retries), Backoff: -time.Second})
		if answer.Attempts != test.attempts || answer.OK() != test.ok || (answer.Err == nil) != test.ok {
			t.Errorf("%d refused, %d retries: %+v", test.refuse, test.retries, answer)
		}
		if answer.Err != nil && answer.Err.Error() != "failed: connection refused" {
			t.Errorf("%d refused, %d retries: %v", test.refuse, test.retries, answer.Err)
		}
	}
}

// TestSendCancelled ends a request in its attempt, and in the pause after it.
func TestSendCancelled(t *testing.T) {
	options := public()
	options.Timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := through(raw(t, func(conn net.Conn) { cancel(); io.Copy(io.Discard, conn) }), options)
	answer := c.Send(ctx, permit(t, c, "http://receiver.test/"), &Request{Retries: 3, Backoff: time.Hour})
	if answer.Attempts != 1 || answer.Err == nil || answer.Err.Error() != "failed: context canceled" {
		t.Errorf("%+v", answer)
	}

	ctx, cancel = context.WithCancel(t.Context())
	c = New(options) // the other may still be dialling
	c.dial = func(context.Context, string, string) (net.Conn, error) {
		time.AfterFunc(10*time.Millisecond, cancel)
		return nil, errors.New("connection refused")
	}
	answer = c.Send(ctx, permit(t, c, "http://receiver.test/"), &Request{Retries: 3, Backoff: time.Hour})
	if answer.Attempts != 1 || answer.Err == nil || answer.Err.Error() != "failed: connection refused; connection refused" {
		t.Errorf("%+v", answer)
	}
}

// TestSendDeadAddress: an address that does not answer leaves time for the next.
func TestSendDeadAddress(t *testing.T) {
	options := public()
	options.Timeout = 2 * time.Second
	c, n := through(serve(t, func(http.ResponseWriter, *http.Request) {}), options)
	c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "8.8.8.8:80" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return n.dial(ctx, network, address)
	}
	if answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{}); answer.Err != nil {
		t.Errorf("%+v", answer)
	}
}

func TestSendSlowResolver(t *testing.T) {
	c := New(Options{Policy: careful("receiver.test"), Resolver: failing{}, Timeout: time.Millisecond})
	c.options.Policy.BlockPrivate = false
	answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{})
	if answer.Err == nil || answer.Err.Error() != "failed: no answer within 1ms: context deadline exceeded" {
		t.Errorf("%+v", answer)
	}
}

// TestSendNoProxy sets what others take a proxy from.
func TestSendNoProxy(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:9/")
	}
	var uri string
	c, n := through(serve(t, func(_ http.ResponseWriter, r *http.Request) { uri = r.RequestURI }), public())
	answer := c.Send(t.Context(), permit(t, c, "http://receiver.test/x"), &Request{})
	if answer.Err != nil || uri != "/x" || !slices.Equal(n.dialled, []string{"8.8.8.8:80"}) {
		t.Errorf("%+v, asked for %s, dialled %q", answer, uri, n.dialled)
	}
}

// TestSendTLS: the name of the URL is asked for and checked, whatever the address.
func TestSendTLS(t *testing.T) {
	start := func(configure func(*httptest.Server)) (*httptest.Server, *x509.CertPool) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s", r.Proto, r.TLS.ServerName, r.Host)
		}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{}
		configure(server)
		server.StartTLS()
		t.Cleanup(server.Close)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate()) // for example.com, *.example.com, 127.0.0.1 and [::1]
		return server, roots
	}
	plain := func(*httptest.Server) {}
	http2 := func(s *httptest.Server) { s.EnableHTTP2 = true }
	old := func(s *httptest.Server) { s.TLS.MinVersion, s.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }
	for _, test := range []struct {
		name, url string
		configure func(*httptest.Server)
		trusted   bool
		want      string // the end of it, if it failed
	}{
		{"HTTP/1.1", "https://example.com/", plain, true, "HTTP/1.1 example.com example.com"},
		{"HTTP/2", "https://example.com/", http2, true, "HTTP/2.0 example.com example.com"},
		{"final dot", "https://example.com./", http2, true, "HTTP/2.0 example.com example.com."},
		{"IPv4", "https://127.0.0.1/", http2, true, "HTTP/2.0  127.0.0.1"},
		{"IPv6", "https://[::1]/", http2, true, "HTTP/2.0  [::1]"},
		{"another name", "https://receiver.test/", plain, true, "not receiver.test"},
		{"another address", "https://127.0.0.2/", plain, true, "not 127.0.0.2"},
		{"nobody's certificate", "https://example.com/", plain, false, "certificate signed by unknown authority"},
		{"TLS 1.1", "https://example.com/", old, true, "tls: protocol version not supported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, roots := start(test.configure)
			if !test.trusted {
				roots = x509.NewCertPool()
			}
			policy := careful("example.com", "example.com.", "receiver.test", "127.0.0.1", "127.0.0.2", "[::1]")
			policy.BlockPrivate = false
			c, _ := through(server, Options{Policy: policy, Resolver: resolver("127.0.0.1"), RootCAs: roots})
			answer := c.Send(t.Context(), permit(t, c, test.url), &Request{})
			got := string(answer.Body)
			if answer.Err != nil {
				got = answer.Err.Message
			}
			if !strings.HasSuffix(got, test.want) || (answer.Err == nil) != strings.HasPrefix(test.want, "HTTP") {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestSendHTTP2Hostile has a head and a body without end over HTTP/2.
func TestSendHTTP2Hostile(t *testing.T) {
	sent := make(chan int, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/head" {
			for i := range AnswerHeaderBytesMax >> 10 {
				w.Header().Set(fmt.Sprint("A", i), long(1<<10))
			}
			return
		}
		total := 0
		for {
			n, err := io.WriteString(w, long(1<<16))
			if total += n; err != nil {
				sent <- total
				return
			}
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c, _ := through(server, Options{Policy: careful("example.com"), Resolver: resolver("8.8.8.8"), RootCAs: roots})
	answer := c.Send(t.Context(), permit(t, c, "https://example.com/"), &Request{})
	if answer.Status != 200 || !answer.Truncated || len(answer.Body) != BodyKeepDefault {
		t.Errorf("%d, %d bytes, %v", answer.Status, len(answer.Body), answer.Err)
	}
	if n := <-sent; n > BodyMaxDefault+1<<20 {
		t.Errorf("%d bytes were taken", n)
	}
	answer = c.Send(t.Context(), permit(t, c, "https://example.com/head"), &Request{})
	if answer.Err == nil || answer.Err.Code != Failed {
		t.Errorf("%d: %v", answer.Status, answer.Err)
	}
}

// TestSendLeavesNothing: what a request started ends with it. If not, this never ends.
func TestSendLeavesNothing(t *testing.T) {
	options := public()
	options.Timeout = 5 * time.Millisecond
	c, n := through(raw(t, func(conn net.Conn) { io.Copy(io.Discard, conn) }), options)
	before := runtime.NumGoroutine()
	for i := range 50 {
		n.mu.Lock()
		n.dialled, n.refuse = nil, i%3
		n.mu.Unlock()
		c.Send(t.Context(), permit(t, c, "http://receiver.test/"), &Request{Body: make([]byte, 1<<20)})
		c.Send(t.Context(), permit(t, c, "https://receiver.test/"), &Request{})
	}
	for runtime.NumGoroutine() > before {
		time.Sleep(time.Millisecond)
	}
}

// TestSendReal has no fake network: a listener of this host, found by its address.
func TestSendReal(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	policy := Policy{Schemes: []string{"http"}, Ports: []uint16{uint16(port)}, HostSuffixes: []string{"127.0.0.1"}}
	c := New(Options{Policy: policy})
	answer := c.Send(t.Context(), permit(t, c, "http://2130706433:"+u.Port()), &Request{Body: []byte("Hello")})
	if !answer.OK() || string(answer.Body) != "Hello" || answer.Err != nil {
		t.Errorf("%+v", answer)
	}
	server.Close()
	answer = c.Send(t.Context(), permit(t, c, "http://2130706433:"+u.Port()), &Request{})
	if answer.Err == nil || answer.Err.Code != Failed || answer.Status != 0 || answer.OK() {
		t.Errorf("%+v", answer)
	}

	c.options.Policy.BlockPrivate = true
	if _, e := c.Permit(t.Context(), server.URL); e == nil || e.Code != IPDenied {
		t.Errorf("%v", e)
	}
	unchecked := &Target{location: &location{host: "127.0.0.1", port: uint16(port)}, pinned: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
	if _, err := c.connect(t.Context(), unchecked); err == nil {
		t.Error("connected to an address that nobody permitted")
	}
}
