package receipt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/program/seal"
)

// TestCompat holds the receipts of released versions of the format. They are
// never changed: every later release reads them.
func TestCompat(t *testing.T) {
	for _, c := range []struct {
		name    string
		receipt Statement
		keys    []seal.PrivateKey
	}{
		{"v1/small", small(), []seal.PrivateKey{testKey(1)}},
		{"v1/full", sample(), []seal.PrivateKey{testKey(1), testKey(2)}},
		{"v1/secrets", confidential(), []seal.PrivateKey{testKey(1)}},
		{"v1/build", build(), []seal.PrivateKey{testKey(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			envelope := mustSign(t, c.receipt, c.keys...)
			file, err := envelope.Encode()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".receipt", file)
			golden(t, c.name+".payload", envelope.Payload)
			golden(t, c.name+".pae", seal.PAE(envelope.PayloadType, envelope.Payload))

			got, back, err := Open(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.receipt, got); diff != "" {
				t.Error(diff)
			}
			check, err := back.Check(seal.Receipt, []seal.PublicKey{testKey(1).Public(), testKey(2).Public()})
			if err != nil || len(check.Good) != len(c.keys) {
				t.Errorf("got %+v, %v", check, err)
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "compat", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(%v)", name, got, want, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(mustEncode(t, sample()))
	if _, err := Decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, wrong string }{
		{"unknown member", `"clock":"tick"`, `"clock":"tick","clocks":"x"`, `unknown field "clocks"`},
		{"unknown member of the statement", `{"_type"`, `{"X":1,"_type"`, `unknown field "X"`},
		{"case of a member", `"clock":"tick"`, `"Clock":"tick"`, "not in canonical form"},
		{"member twice", `"clock":"tick"`, `"clock":"tick","clock":"tick"`, "not in canonical form"},
		{"member twice, in two cases", `"clock":"tick"`, `"Clock":"fixed","clock":"tick"`, "not in canonical form"},
		{"white space", `"clock":"tick"`, `"clock": "tick"`, "not in canonical form"},
		{"escape", `"clock":"tick"`, `"clock":"\u0074ick"`, "not in canonical form"},
		{"order of members", `"fuel":"4611686018427387904","memoryPages":1024`, `"memoryPages":1024,"fuel":"4611686018427387904"`, "not in canonical form"},
		{"leading zero", `"timeNs":"9223372036854775809"`, `"timeNs":"09223372036854775809"`, "not in canonical form"},
		{"number for text", `"timeNs":"9223372036854775809"`, `"timeNs":9223372036854775809`, "string"},
		{"too large", `"timeNs":"9223372036854775809"`, `"timeNs":"18446744073709551616"`, "timeNs"},
		{"negative", `"memoryPages":1024`, `"memoryPages":-1`, "memoryPages"},
		{"fraction", `"memoryPages":1024`, `"memoryPages":1024.0`, "memoryPages"},
		{"null", `"seed":"00ff"`, `"seed":null`, "not in canonical form"},
		{"default written out", `"kind":"absent"`, `"kind":"absent","listed":false`, "not in canonical form"},
		{"empty list written out", `"mode":"wo"`, `"mode":"wo","observed":[]`, "not in canonical form"},
		{"zero digest", `"digest":"` + blob("program").Digest.String(), `"digest":"sha256:` + strings.Repeat("0", 64), "all zeros"},
		{"upper-case digest", blob("program").Digest.String(), "sha256:" + strings.ToUpper(blob("program").Digest.Hex()), "upper-case"},
		{"another statement", "Statement/v1", "Statement/v2", `of type "https://in-toto.io/Statement/v2"`},
		{"another predicate", seal.PredicateReceipt, "urn:carrel:receipt:v2", `about "urn:carrel:receipt:v2"`},
		{"a subject that lies", `"name":"stderr"`, `"name":"stdin"`, "not in canonical form"},
		{"a subject left out", `,{"digest":{"sha256":"` + blob("out").Digest.Hex() + `"},"name":"two.txt"}`, ``, "not in canonical form"},
		{"class that is no result", `"class":"exit"`, `"class":"worker"`, "class worker is no result"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the sample has no %s", c.old)
			}
			r, err := Decode([]byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %v, %v; want an error with %q", r, err, c.wrong)
			}
		})
	}
	for _, text := range []string{"", "{}", "null", "[]", good + "\n", good + good, good[:len(good)-1], " " + good, strings.Repeat("[", 1<<20),
		`{"_type":"` + statementType + `","predicateType":"` + seal.PredicateReceipt + `","predicate":null,"subject":null}`} {
		if r, err := Decode([]byte(text)); err == nil {
			t.Errorf("%.40q is a receipt: %v", text, r)
		}
	}
}

func TestDecodeIsBounded(t *testing.T) {
	if _, err := Decode(make([]byte, seal.PayloadBytesMax+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("got %v", err)
	}
	// A list of empty objects takes fifty times its size once it is read.
	hostile := `{"_type":"` + statementType + `","predicateType":"` + seal.PredicateReceipt + `","predicate":{"input":{"mounts":[` + strings.Repeat("{},", 1<<22)
	if _, err := Decode([]byte(hostile)); err == nil || !strings.Contains(err.Error(), "more than 4194304 values") {
		t.Errorf("got %v", err)
	}
	r := small()
	for range 70 {
		r.Input.Args = append(r.Input.Args, strings.Repeat("x", TextBytesMax))
	}
	if _, err := Encode(r); err == nil || !strings.Contains(err.Error(), "at most 67108864") {
		t.Errorf("got %v", err)
	}
}

func TestSubjects(t *testing.T) {
	var names []string
	for _, s := range sample().Subjects() {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "stdout stderr /data/out /tar /new two.txt" {
		t.Errorf("got %s", got)
	}
}

func TestOpenRefusesAnotherPayload(t *testing.T) {
	envelope := mustSign(t, small(), testKey(1))
	envelope.PayloadType = "text/plain"
	file, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(file); err == nil || !strings.Contains(err.Error(), `payload type is "text/plain"`) {
		t.Errorf("got %v", err)
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add(mustEncode(f, sample()))
	f.Add(mustEncode(f, small()))
	f.Add(mustEncode(f, build()))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"urn:carrel:receipt:v1"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := Decode(payload)
		if err != nil {
			return
		}
		again, err := Encode(r)
		if err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("%q became %q, %v", payload, again, err)
		}
		for _, turn := range r.Turns() {
			if d := Compare(&turn.Result, &turn.Result); len(d) > 0 {
				t.Fatalf("differs from itself: %v", d)
			}
			if d := CompareInput(&turn.Input, &turn.Input); len(d) > 0 {
				t.Fatalf("differs from itself: %v", d)
			}
		}
		if len(Needs(r)) > len(Blobs(r)) {
			t.Fatal("more is needed than is named")
		}
	})
}
