package secret

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// first are bytes from 0 up.
var first = func() (b []byte) {
	for n := range 32 {
		b = append(b, byte(n))
	}
	return b
}()

var held = map[string][]byte{"A": {1, 2, 3}, "B": first, "zero": make([]byte, 32), "long": make([]byte, 70_000), "": {9}}

// TestInject has nXCC's golden values and rules.
func TestInject(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{`{"k": {"$secret": "A"}}`, `{"k":"AQID"}`},
		{`{"$secret": "A"}`, `"AQID"`},
		{`[{"$secret": "A", "encoding": "HEX"}, 1, null]`, `["010203",1,null]`},
		{`{"k": {"$secret": "zero", "encoding": "hex", "kdf": {"info": "test", "len": 4}}}`, `{"k":"523db792"}`},
		{`{"k": {"$secret": "B", "kdf": {"info": "nxcc-zenroom-e2e", "len": 16}}}`, `{"k":"NGHm/gEakf5fv/xQL2Reaw=="}`},
		{`{"k": {"$secret": "B", "encoding": "hex", "kdf": {"info": "nxcc-eudi-bridge"}}}`, `{"k":"6791c91036d0ca84f772a1207a185262bbad0ff863a3fdf859bd450549781729"}`},
		{`{"k": {"$secret": "B", "encoding": "hex", "kdf": {}}}`, `{"k":"37ad29109f43265287804b674e2653d0a513718907f97fca97c95bded8104bbf"}`},
		{`{"k": {"$secret": "B", "encoding": "hex", "kdf": {"salt": "pepper", "info": "context", "len": 64}}}`, `{"k":"2c40b6d3e2c5249bc07531743a622f206217bf6c4e9ed59b5c6a384045e23650039fbf4cbfce4b88644fb64863948e1cbdce535025cc174331ab60f650931c0d"}`},
		{`{"k": {"$secret": "B", "kdf": {"len": 0}}}`, `{"k":""}`},
		{`{"k": {"$secret": "B", "encoding": 7, "kdf": {"salt": 1, "info": null, "len": -3}}}`, `{"k":"N60pEJ9DJlKHgEtnTiZT0KUTcYkH+X/Kl8lb3tgQS78="}`},
		{`{"z": {"x": [{"y": {"$secret": "A", "other": {"$secret": "none"}}}]}, "a": 1.50}`, `{"a":1.50,"z":{"x":[{"y":"AQID"}]}}`},
		{`{"<&>": 123456789012345678901234567890}`, `{"<&>":123456789012345678901234567890}`},
	} {
		got, err := Inject([]byte(test.keys), held, Defaults)
		if err != nil || string(got.Text) != test.want {
			t.Errorf("%s: %+v, %v, want %s", test.keys, got, err, test.want)
		}
	}
}

// TestUsed tells whose secrets are in keys, and forgets them.
func TestUsed(t *testing.T) {
	keys, err := Inject([]byte(`{"a": [{"$secret": "B"}, {"$secret": "A"}], "b": {"$secret": "B", "encoding": "hex"}}`), held, Defaults)
	if err != nil || !slices.Equal(keys.Used, []string{"A", "B"}) {
		t.Fatalf("%+v, %v", keys, err)
	}
	if values := keys.Values(); len(values) != 3 || string(values[1]) != "AQID" || !strings.HasPrefix(string(values[2]), "000102") {
		t.Errorf("the values are %q", values)
	}
	text := keys.Text
	keys.Wipe()
	if !bytes.Equal(text, make([]byte, len(text))) {
		t.Errorf("after it was wiped it is %q", text)
	}
}

// TestNamed finds what stands for a secret anywhere.
func TestNamed(t *testing.T) {
	for text, want := range map[string]bool{`1`: false, `"$secret"`: false, `{"a": [{"b": "$secret"}]}`: false, `{"a": [0, {"b": {"$secret": 1}}]}`: true} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil || Named(value) != want {
			t.Errorf("%s: %v, %v", text, Named(value), err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		keys   string
		limits Limits
		want   string
	}{
		{`{"k": {"$secret": 1}}`, Defaults, "Invalid $secret value"},
		{`{"k": {"$secret": null}}`, Defaults, "Invalid $secret value"},
		{`{"b": {"$secret": "none"}, "a": {"$secret": "gone"}}`, Defaults, "Missing secret 'gone'"},
		{`{"k": {"$secret": "A"}}`, Limits{TotalBytes: 100, DerivedBytes: 64, RequireKDF: true}, "HKDF is required for secret injection"},
		{`{"k": {"$secret": "A", "kdf": null}}`, Defaults, "kdf must be an object"},
		{`{"k": {"$secret": "A", "kdf": []}}`, Defaults, "kdf must be an object"},
		{`{"k": {"$secret": "A", "kdf": {"len": 65}}}`, Defaults, "Derived key length 65 exceeds max 64"},
		{`{"k": {"$secret": "A", "kdf": {"len": 18446744073709551615}}}`, Defaults, "Derived key length 18446744073709551615 exceeds max 64"},
		{`{"k": {"$secret": "A", "kdf": {"len": 8161}}}`, Limits{TotalBytes: 1 << 20, DerivedBytes: 1 << 20}, "HKDF expand failed"},
		{`{"k": {"$secret": "long"}}`, Defaults, "Total derived secrets size 70000 exceeds max 65536"},
		{`[{"$secret": "A"}, {"$secret": "A"}]`, Limits{TotalBytes: 5, DerivedBytes: 64}, "Total derived secrets size 6 exceeds max 5"},
		{`{"k": {"$secret": "A", "encoding": "Base32"}}`, Defaults, "Unsupported encoding 'base32'"},
		{`{"k": {"$secret": "A", "encoding": ""}}`, Defaults, "Unsupported encoding ''"},
		{`{`, Defaults, "keys: unexpected EOF"},
		{`{} {}`, Defaults, "keys: something follows the JSON"},
		{strings.Repeat("[", 100_000), Defaults, "keys: invalid character"},
	} {
		got, err := Inject([]byte(test.keys), held, test.limits)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) && !strings.Contains(err.Error(), "exceeded max depth") {
			t.Errorf("%.80s: %+v, %v, want %s", test.keys, got, err, test.want)
		}
	}
}

// FuzzInject has any keys: what comes out is JSON, and without placeholders.
func FuzzInject(f *testing.F) {
	f.Add([]byte(`{"k": {"$secret": "A", "kdf": {"len": 4}}, "a": [1, {"$secret": "B"}]}`))
	f.Fuzz(func(t *testing.T, keys []byte) {
		out, err := Inject(keys, held, Defaults)
		if err != nil {
			return
		}
		again, err := Inject(out.Text, nil, Defaults)
		if err != nil || !bytes.Equal(again.Text, out.Text) || !json.Valid(out.Text) || len(again.Used) > 0 {
			t.Errorf("%s became %s, and then %+v, %v", keys, out.Text, again, err)
		}
	})
}
