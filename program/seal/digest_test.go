package seal

import (
	"encoding/json"
	"strings"
	"testing"
)

const helloDigest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func TestParseDigest(t *testing.T) {
	digits := strings.TrimPrefix(helloDigest, "sha256:")
	for _, c := range []struct {
		name, text, wrong string
	}{
		{"good", helloDigest, ""},
		{"no prefix", digits, `does not begin with "sha256:"`},
		{"other algorithm", "sha512:" + digits, `does not begin with "sha256:"`},
		{"upper case", "sha256:" + strings.ToUpper(digits), "upper-case"},
		{"upper-case prefix", "SHA256:" + digits, `does not begin`},
		{"short", helloDigest[:70], "63 hexadecimal digits, want 64"},
		{"long", helloDigest + "0", "65 hexadecimal digits, want 64"},
		{"not hexadecimal", "sha256:" + strings.Repeat("g", 64), "bad hexadecimal"},
		{"zero", "sha256:" + strings.Repeat("0", 64), "all zeros"},
		{"empty", "", "does not begin"},
		{"space", helloDigest + " ", "65 hexadecimal digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := ParseDigest(c.text)
			if c.wrong == "" {
				if err != nil || d.String() != c.text {
					t.Fatalf("got %q, %v", d, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %v, want an error with %q", err, c.wrong)
			}
		})
	}
}

func TestDigestForms(t *testing.T) {
	d := Sum([]byte("hello"))
	if d.String() != helloDigest || d.Short() != "sha256:2cf24dba5fb0" || d.Hex() != helloDigest[7:] {
		t.Errorf("got %s, %s, %s", d, d.Short(), d.Hex())
	}
	text, err := json.Marshal(map[string]Digest{"d": d})
	if err != nil || string(text) != `{"d":"`+helloDigest+`"}` {
		t.Errorf("got %s, %v", text, err)
	}
	var back map[string]Digest
	if err := json.Unmarshal(text, &back); err != nil || back["d"] != d {
		t.Errorf("got %v, %v", back, err)
	}
	var none Digest
	if none.String() != "" || none.Short() != "" || !none.IsZero() {
		t.Errorf("the zero digest prints as %q", none)
	}
	if _, err := json.Marshal(none); err == nil {
		t.Error("the zero digest has a JSON form")
	}
}

func TestHasher(t *testing.T) {
	h := NewHasher()
	for _, part := range []string{"he", "", "llo"} {
		if n, err := h.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if h.Digest().String() != helloDigest || h.Size() != 5 {
		t.Errorf("got %s, %d", h.Digest(), h.Size())
	}
}
