package egress

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files")

// testKey is test-key-ed25519 of RFC 9421, B.1.4.
func testKey(t testing.TB) ed25519.PrivateKey {
	seed, err := base64.RawURLEncoding.DecodeString("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func testSigner(t testing.TB) *Signer {
	s, err := NewSigner(testKey(t), "test-key-ed25519", func() time.Time { return time.Unix(1618884473, 999) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func public25519(t testing.TB) ed25519.PublicKey { return testKey(t).Public().(ed25519.PublicKey) }

// TestRFC9421 signs the example of RFC 9421, B.2.6. Of its components, @path and
// @authority are not among ours.
func TestRFC9421(t *testing.T) {
	const text = "POST /foo?param=Value&Pet=dog HTTP/1.1\r\nHost: example.com\r\nDate: Tue, 20 Apr 2021 02:07:55 GMT\r\n" +
		"Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"hello\": \"world\"}"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	ours := components(r, receivedURI(r))
	value := func(name string) string {
		switch name {
		case "@path":
			return r.URL.Path
		case "@authority":
			return r.Host
		}
		return ours(name)
	}
	names := []string{"date", "@method", "@path", "@authority", "content-type", "content-length"}
	params := list(names) + `;created=1618884473;keyid="test-key-ed25519"`
	base := signatureBase(names, params, value)
	const want = `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`
	if string(base) != want {
		t.Errorf("base\n%s\nwant\n%s", base, want)
	}
	const signature = ":wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
	if got := binary(ed25519.Sign(testKey(t), base)); got != signature {
		t.Errorf("signature %s, want %s", got, signature)
	}
	if uri := receivedURI(r); uri != "http://example.com/foo?param=Value&Pet=dog" {
		t.Errorf("target URI %s", uri)
	}
	// RFC 9530, appendix D, has this of the same body.
	if got := contentDigest([]byte(`{"hello": "world"}` + "\n")); got != "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:" {
		t.Errorf("digest %s", got)
	}
}

// signed sends a request through a signing client and gives what arrives.
func signed(t testing.TB, request *Request) []byte {
	options := public()
	options.Signer = testSigner(t)
	c := New(options)
	var got bytes.Buffer
	done := make(chan error, 1)
	c.dial = func(context.Context, string, string) (net.Conn, error) {
		conn, receiver := net.Pipe()
		go func() {
			defer receiver.Close()
			r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(receiver, &got)))
			if err == nil {
				_, err = io.Copy(io.Discard, r.Body)
			}
			done <- err
			io.WriteString(receiver, "HTTP/1.1 204 No Content\r\n\r\n")
		}()
		return conn, nil
	}
	target, denied := c.Permit(t.Context(), "http://user:pass@receiver.test/hooks/7?a=%20b#c")
	if denied != nil {
		t.Fatal(denied)
	}
	if answer := c.Send(t.Context(), target, request); answer.Err != nil {
		t.Fatal(answer.Err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return got.Bytes()
}

func full() *Request {
	return &Request{Body: []byte(`{"output":"Hello_World"}`), ContentType: "application/json", Key: "turn-7-0", Receipt: []byte("a receipt"),
		Headers: []Header{{"X-Other", "not signed"}}}
}

// TestSigned holds what is sent against golden files, which docs/concepts/postbacks.md
// shows, and verifies it.
func TestSigned(t *testing.T) {
	for name, request := range map[string]*Request{"signed": full(), "signed-bare": {Method: "PUT"}} {
		got := signed(t, request)
		file := "testdata/" + name + ".http"
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: sent\n%s\nwant\n%s", name, got, want)
		}
		signature, err := verify(t, want, public25519(t))
		if err != nil {
			t.Fatal(err)
		}
		if signature.KeyID != "test-key-ed25519" || signature.Created.Unix() != 1618884473 {
			t.Errorf("%s: %+v", name, signature)
		}
	}
}

// verify is what a receiver does with a request.
func verify(t testing.TB, request []byte, key ed25519.PublicKey) (*Signature, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Verify(r, body, key)
}

func TestVerifyRefuses(t *testing.T) {
	request := string(signed(t, full()))
	const input, signature = "Signature-Input: carrel=", "Signature: carrel="
	other := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	const wrong = "verify signature: the key did not sign this request"
	for _, test := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"what is not signed", "X-Other: not", "X-Other: also not", ""},
		{"a proxy's signature before", input, `Signature-Input: p=("a,b");x="\\",carrel=`, ""},
		{"a proxy's signature after", signature, "Signature: q=:AA==:\r\n" + signature, ""},
		{"method", "POST", "PUT", wrong},
		{"path", "/hooks/7", "/hooks/8", wrong},
		{"query", "?a=%20b", "?a=+b", wrong},
		{"host", "Host: receiver.test", "Host: receiver.tess", wrong},
		{"port", "Host: receiver.test", "Host: receiver.test:80", wrong},
		{"content type", "application/json", "application/jsom", wrong},
		{"key", "turn-7-0", "turn-7-1", wrong},
		{"receipt", "YSByZWNlaXB0", "YSByZWNlaXB1", wrong},
		{"created", "created=1618884473", "created=1618884474", wrong},
		{"keyid", `keyid="test`, `keyid="tess`, wrong},
		{"signature", "Signature: carrel=:", "Signature: carrel=:AAAA", wrong},
		{"body", "Hello_World", "Hello_Worle", "verify signature: Content-Digest is not that of the body"},
		{"no digest", "Content-Digest", "X-Digest", "verify signature: Content-Digest is not that of the body"},
		{"two digests", "Content-Digest", "Content-Digest: x\r\nContent-Digest", "verify signature: Content-Digest is not that of the body"},
		{"second content type", "Content-Type", "Content-Type: a/b\r\nContent-Type", wrong},
		{"second key", "Idempotency-Key", "Idempotency-Key: x\r\nIdempotency-Key", wrong},
		{"receipt taken away", "Carrel-Receipt", "X-Receipt", `verify signature: it covers ("@method" "@target-uri" "content-digest" "content-type" "idempotency-key" "carrel-receipt"), not ("@method" "@target-uri" "content-digest" "content-type" "idempotency-key")`},
		{"component taken away", ` "carrel-receipt"`, "", `verify signature: it covers ("@method" "@target-uri" "content-digest" "content-type" "idempotency-key"), not ("@method" "@target-uri" "content-digest" "content-type" "idempotency-key" "carrel-receipt")`},
		{"component with a parameter", `"content-type"`, `"content-type";bs`, `verify signature: it covers ("@method" "@target-uri" "content-digest" "content-type";bs "idempotency-key" "carrel-receipt"), not ("@method" "@target-uri" "content-digest" "content-type" "idempotency-key" "carrel-receipt")`},
		{"another algorithm", `alg="ed25519"`, `alg="hmac-sha256"`, "verify signature: Signature-Input is not as Carrel writes it"},
		{"another parameter", `alg="ed25519"`, `alg="ed25519";x`, "verify signature: Signature-Input is not as Carrel writes it"},
		{"no parameters", `;created=1618884473;keyid="test-key-ed25519";alg="ed25519"`, "", "verify signature: Signature-Input is not as Carrel writes it"},
		{"no input", input, "Signature-Input: other=", "verify signature: the request has no signature of Carrel"},
		{"no signature", signature, "Signature: other=", "verify signature: the request has no signature of Carrel"},
		{"two inputs", input, `Signature-Input: carrel=()` + "\r\n" + input, "verify signature: Signature-Input has 2 members carrel"},
		{"two signatures", signature, "Signature: carrel=:AA==:, carrel=", "verify signature: Signature has 2 members carrel"},
		{"large input", input, "Signature-Input: x=" + long(SignatureInputBytesMax) + ",carrel=", "verify signature: Signature-Input has 8352 bytes, at most 8192"},
		{"token", "Signature: carrel=:", "Signature: carrel=", "verify signature: Signature is no byte sequence"},
		{"base64", "Signature: carrel=:", "Signature: carrel=:*", "verify signature: illegal base64 data at input byte 0"},
	} {
		if !strings.Contains(request, test.old) {
			t.Fatalf("%s: %q is not in\n%s", test.name, test.old, request)
		}
		got := ""
		if _, err := verify(t, []byte(strings.Replace(request, test.old, test.new, 1)), public25519(t)); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if _, err := verify(t, []byte(request), other); err == nil || err.Error() != wrong {
		t.Errorf("another key: %v", err)
	}
	if _, err := verify(t, []byte(request), nil); err == nil || err.Error() != wrong {
		t.Errorf("no key: %v", err)
	}
	if _, err := verify(t, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), other); !errors.Is(err, ErrNoSignature) {
		t.Errorf("unsigned: %v", err)
	}
}

// TestVerifyServed verifies within a server, over TLS and HTTP/2, and as one behind a
// proxy does.
func TestVerifyServed(t *testing.T) {
	var results []error
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, err = Verify(r, body, public25519(t))
		r.TLS = nil
		_, plain := Verify(r, body, public25519(t))
		r.URL.Scheme = "https"
		_, proxied := Verify(r, body, public25519(t))
		results = []error{err, plain, proxied}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c, _ := through(server, Options{Policy: careful("example.com"), Resolver: resolver("8.8.8.8"), RootCAs: roots, Signer: testSigner(t)})
	if answer := c.Send(t.Context(), permit(t, c, "https://EXAMPLE.com/a//b%2f|/?x#y"), full()); !answer.OK() {
		t.Fatalf("%+v", answer)
	}
	if results[0] != nil || results[1] == nil || results[2] != nil {
		t.Errorf("%v", results)
	}
}

func TestNewSigner(t *testing.T) {
	key, now := testKey(t), time.Now
	for _, test := range []struct {
		key  ed25519.PrivateKey
		id   string
		want string
	}{
		{key, "ed25519:00", ""},
		{key, `a "b" \c`, ""},
		{key[:32], "x", "make signer: a key has 64 bytes, not 32"},
		{key, "", "make signer: a key id has 1 to 256 bytes, not 0"},
		{key, long(KeyIDBytesMax + 1), "make signer: a key id has 1 to 256 bytes, not 257"},
		{key, "a\nb", `make signer: key id "a\nb" is not printable ASCII`},
		{key, "\u00e9", "make signer: key id \"\u00e9\" is not printable ASCII"},
	} {
		s, err := NewSigner(test.key, test.id, now)
		if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
			t.Errorf("%q: %v, want %q", test.id, err, test.want)
		}
		if err != nil {
			continue
		}
		r := httptest.NewRequest("POST", "http://a/b", nil)
		s.sign(r, "http://a/b", nil)
		signature, err := Verify(r, nil, key.Public().(ed25519.PublicKey))
		if err != nil || signature.KeyID != test.id {
			t.Errorf("%q: %+v, %v", test.id, signature, err)
		}
	}
}

// TestDocs holds the page on postbacks against what is sent and said.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/concepts/postbacks.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/signed.http")
	if err != nil {
		t.Fatal(err)
	}
	request := strings.ReplaceAll(string(golden), "\r\n", "\n")
	if !strings.Contains(string(page), "```\n"+request+"\n```") {
		t.Error("it does not show the request that is sent")
	}
	params := request[strings.Index(request, "carrel=(")+len("carrel="):]
	params, _, _ = strings.Cut(params, "\n")
	base := page[bytes.Index(page, []byte("```\n\"@method\""))+len("```\n"):]
	base = base[:bytes.Index(base, []byte("\n```"))]
	signature := request[strings.Index(request, "Signature: carrel=")+len("Signature: carrel="):]
	signature, _, _ = strings.Cut(signature, "\n")
	if !bytes.HasSuffix(base, []byte(params)) || binary(ed25519.Sign(testKey(t), base)) != signature {
		t.Error("the base that it shows does not give the signature")
	}
	for _, code := range []string{InvalidURL, SchemeDenied, PortMissing, PortDenied, HostMissing, HostDenied, DNSFailed, IPDenied, InvalidMethod, InvalidHeader, TooLarge, Failed} {
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("it does not have %s", code)
		}
	}
}
