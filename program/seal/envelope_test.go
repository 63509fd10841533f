package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write golden files")

// testKey is a key pair from a seed of 32 equal bytes.
func testKey(n byte) PrivateKey {
	return NewPrivateKey([SeedBytes]byte(bytes.Repeat([]byte{n}, SeedBytes)))
}

func sign(t testing.TB, payload string, keys ...PrivateKey) *Envelope {
	envelope, err := Sign(Receipt, []byte(payload), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

func encode(t testing.TB, envelope *Envelope) []byte {
	text, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPAE(t *testing.T) {
	for _, c := range []struct{ payloadType, payload, want string }{
		{"", "", "DSSEv1 0  0 "},
		{"http://example.com/HelloWorld", "hello world", "DSSEv1 29 http://example.com/HelloWorld 11 hello world"},
		{"é", "ಠ", "DSSEv1 2 é 3 ಠ"},
	} {
		if got := PAE(c.payloadType, []byte(c.payload)); string(got) != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestEnvelopeVector holds the vector of docs/formats/receipt.md.
func TestEnvelopeVector(t *testing.T) {
	const file = "testdata/envelope.json"
	got := encode(t, sign(t, `{"hello":"world"}`, rfcKey(t)))
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s (%v)", got, want, err)
	}
}

func TestSignRefuses(t *testing.T) {
	many := make([]PrivateKey, SignaturesMax+1)
	for n := range many {
		many[n] = testKey(byte(n))
	}
	other := Receipt
	other.PayloadType = "text/plain"
	for _, c := range []struct {
		name    string
		context Context
		keys    []PrivateKey
		wrong   string
	}{
		{"no key", Receipt, nil, "0 keys"},
		{"too many keys", Receipt, many, "17 keys"},
		{"empty key", Receipt, []PrivateKey{{}}, "empty or given twice"},
		{"one key twice", Receipt, []PrivateKey{testKey(1), testKey(1)}, "empty or given twice"},
		{"another context", other, []PrivateKey{testKey(1)}, "not a registered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Sign(c.context, nil, c.keys...); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want an error with %q", err, c.wrong)
			}
		})
	}
}

func TestContextsAreDistinct(t *testing.T) {
	names, signed := map[string]bool{}, map[[2]string]bool{}
	for _, c := range Contexts() {
		if key := [2]string{c.PayloadType, c.PredicateType}; names[c.Name] || signed[key] || c.PayloadType == "" {
			t.Errorf("context %q is there twice", c.Name)
		} else {
			names[c.Name], signed[key] = true, true
		}
	}
}

func TestCheck(t *testing.T) {
	a, b, c := testKey(1), testKey(2), testKey(3)
	good := sign(t, "payload", a, b)
	other := sign(t, "other payload", a)
	with := func(signatures ...Signature) *Envelope {
		return &Envelope{PayloadType: good.PayloadType, Payload: good.Payload, Signatures: signatures}
	}
	claim := func(id string, s Signature) Signature { return Signature{KeyID: id, Sig: s.Sig} }
	byA, byB := good.Signatures[0], good.Signatures[1]
	for _, test := range []struct {
		name                  string
		envelope              *Envelope
		trusted               []PrivateKey
		good, broken, unknown string
	}{
		{"both trusted", good, []PrivateKey{b, a}, "a b", "", ""},
		{"one trusted", good, []PrivateKey{b}, "b", "", "1"},
		{"none trusted", good, []PrivateKey{c}, "", "", "2"},
		{"nobody trusted at all", good, nil, "", "", "2"},
		{"duplicate signature counts once", with(byA, byA, byA), []PrivateKey{a}, "a", "", ""},
		{"duplicate trust counts once", with(byA), []PrivateKey{a, a}, "a", "", ""},
		{"of another payload", with(other.Signatures[0]), []PrivateKey{a}, "", "1", ""},
		{"broken beside good", with(other.Signatures[0], byB), []PrivateKey{a, b}, "b", "1", ""},
		{"claims another trusted key", with(claim(b.ID().String(), byA)), []PrivateKey{a, b}, "", "1", ""},
		{"claims an unknown key", with(claim("somebody", byA)), []PrivateKey{a}, "", "", "1"},
		{"claims nothing, valid", with(claim("", byB)), []PrivateKey{a, b}, "b", "", ""},
		{"claims nothing, not valid", with(claim("", other.Signatures[0])), []PrivateKey{a, b}, "", "1", ""},
		{"claims nothing, nobody trusted", with(claim("", byB)), nil, "", "", "1"},
		{"empty signature", with(Signature{KeyID: byA.KeyID}), []PrivateKey{a}, "", "1", ""},
		{"cut signature", with(Signature{byA.KeyID, byA.Sig[:63]}), []PrivateKey{a}, "", "1", ""},
		{"long signature", with(Signature{byA.KeyID, append(slices.Clone(byA.Sig), 0)}), []PrivateKey{a}, "", "1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var trusted []PublicKey
			for _, key := range test.trusted {
				trusted = append(trusted, key.Public())
			}
			check, err := test.envelope.Check(Receipt, trusted)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, key := range check.Good {
				names = append(names, map[PublicKey]string{a.Public(): "a", b.Public(): "b", c.Public(): "c"}[key])
			}
			count := func(list []Signature) string { return strings.TrimSuffix(fmt.Sprint(len(list)), "0") }
			if got := strings.Join(names, " "); got != test.good || count(check.Broken) != test.broken || count(check.Unknown) != test.unknown {
				t.Errorf("good %q, broken %d, unknown %d", got, len(check.Broken), len(check.Unknown))
			}
		})
	}
	if _, err := (&Envelope{PayloadType: "text/plain"}).Check(Receipt, nil); err == nil {
		t.Error("a payload of another type was checked")
	}
}

func TestDecodeEnvelope(t *testing.T) {
	const sig = `{"keyid":"k","sig":"AAAA"}`
	for _, c := range []struct{ name, text, wrong string }{
		{"plain", `{"payload":"aGk=","payloadType":"t","signatures":[` + sig + `]}`, ""},
		{"other order, spaces", "{ \"signatures\" : [" + sig + "],\n\"payloadType\":\"t\",\"payload\":\"aGk=\" }\n", ""},
		{"no key id", `{"payload":"aGk=","payloadType":"t","signatures":[{"sig":"AAAA"}]}`, ""},
		{"URL alphabet", `{"payload":"_-8=","payloadType":"t","signatures":[` + sig + `]}`, ""},
		{"no padding", `{"payload":"aGk","payloadType":"t","signatures":[` + sig + `]}`, "payload: not base64"},
		{"stray bits", `{"payload":"aGl=","payloadType":"t","signatures":[` + sig + `]}`, "payload: not base64"},
		{"both alphabets", `{"payload":"_+8=","payloadType":"t","signatures":[` + sig + `]}`, "payload: not base64"},
		{"unknown member", `{"payload":"aGk=","payloadType":"t","signatures":[` + sig + `],"x":1}`, `unknown member "x"`},
		{"case of a member", `{"Payload":"aGk=","payloadType":"t","signatures":[` + sig + `]}`, `unknown member "Payload"`},
		{"unknown in signature", `{"payload":"aGk=","payloadType":"t","signatures":[{"sig":"AAAA","cert":""}]}`, `signature 0: unknown member "cert"`},
		{"duplicate", `{"payload":"aGk=","payload":"aGk=","payloadType":"t","signatures":[` + sig + `]}`, "occurs twice"},
		{"no payload", `{"payloadType":"t","signatures":[` + sig + `]}`, "payload: want a string"},
		{"null payload", `{"payload":null,"payloadType":"t","signatures":[` + sig + `]}`, "payload: want a string"},
		{"no signatures", `{"payload":"aGk=","payloadType":"t","signatures":[]}`, "want a list of 1 to 16"},
		{"too many", `{"payload":"aGk=","payloadType":"t","signatures":[` + strings.Repeat(sig+",", 16) + sig + `]}`, "want a list of 1 to 16"},
		{"long key id", `{"payload":"aGk=","payloadType":"t","signatures":[{"keyid":"` + strings.Repeat("k", 257) + `","sig":""}]}`, "keyid: 257 bytes"},
		{"long signature", `{"payload":"aGk=","payloadType":"t","signatures":[{"sig":"` + strings.Repeat("A", 12000) + `"}]}`, "sig: 12000 bytes"},
		{"a list", `[]`, "want an object"},
		{"many values", `{"payload":[` + strings.Repeat("[],", 1<<20) + `[]]}`, "more than 256 values"},
		{"a signature that is text", `{"payload":"aGk=","payloadType":"t","signatures":["x"]}`, "signature 0: want an object"},
		{"nothing", ``, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			envelope, err := DecodeEnvelope([]byte(c.text))
			switch {
			case c.wrong == "" && err != nil:
				t.Fatal(err)
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Fatalf("got %v, %v; want an error with %q", envelope, err, c.wrong)
			}
		})
	}
	if _, err := DecodeEnvelope(make([]byte, EnvelopeBytesMax+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("got %v", err)
	}
}

// TestAnyBitOfAnEnvelope changes every single bit of an envelope: either
// nobody's signature is valid, or the payload is what was signed.
func TestAnyBitOfAnEnvelope(t *testing.T) {
	key := testKey(7)
	good := encode(t, sign(t, `{"a":"some payload, long enough"}`, key))
	payload := sign(t, `{"a":"some payload, long enough"}`, key).Payload
	survived := 0
	for bit := range 8 * len(good) {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if accepted(bad, key.Public(), payload) {
			survived++
		}
	}
	// The key id is a hint that nobody signs: where a change leaves no hint at
	// all, the signature is still tried. Nothing else survives.
	if survived > 8 {
		t.Errorf("%d changes of one bit survived", survived)
	}
}

// accepted reports whether an envelope has a valid signature of the key; it
// panics if it then holds another payload.
func accepted(text []byte, key PublicKey, payload []byte) bool {
	envelope, err := DecodeEnvelope(text)
	if err != nil {
		return false
	}
	check, err := envelope.Check(Receipt, []PublicKey{key})
	if err != nil || len(check.Good) == 0 {
		return false
	}
	if !bytes.Equal(envelope.Payload, payload) {
		panic(fmt.Sprintf("a signature is valid for %q", envelope.Payload))
	}
	return true
}

// TestMangledEnvelope changes envelopes in larger ways, by chance.
func TestMangledEnvelope(t *testing.T) {
	key := testKey(7)
	payload := []byte(`{"a":1}`)
	good := encode(t, sign(t, string(payload), key))
	rapid.Check(t, func(t *rapid.T) {
		bad := slices.Clone(good)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(bad)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				bad[at] = rapid.Byte().Draw(t, "byte")
			case 1:
				bad = slices.Delete(bad, at, at+1)
			case 2:
				bad = slices.Insert(bad, at, rapid.Byte().Draw(t, "byte"))
			}
		}
		accepted(bad, key.Public(), payload)
	})
}

func TestEncodeIsStandardJSON(t *testing.T) {
	envelope := sign(t, "payload", testKey(1))
	var got struct {
		PayloadType, Payload string
		Signatures           []struct{ KeyID, Sig string }
	}
	text := encode(t, envelope)
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if payload, _ := base64.StdEncoding.DecodeString(got.Payload); string(payload) != "payload" || got.PayloadType != PayloadInToto {
		t.Errorf("got %+v", got)
	}
	if text[len(text)-1] != '\n' || bytes.Count(text, []byte("\n")) != 1 {
		t.Errorf("not one line: %q", text)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add(encode(f, sign(f, "payload", testKey(1), testKey(2))))
	f.Add([]byte(`{"payload":"_-8=","payloadType":"t","signatures":[{"sig":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		envelope, err := DecodeEnvelope(text)
		if err != nil {
			return
		}
		again, err := DecodeEnvelope(encode(t, envelope))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(t, again), encode(t, envelope)) || !bytes.Equal(again.Payload, envelope.Payload) {
			t.Fatalf("%q became %q", encode(t, envelope), encode(t, again))
		}
		envelope.Check(Context{PayloadType: envelope.PayloadType}, []PublicKey{testKey(1).Public()})
	})
}
