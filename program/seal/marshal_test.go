package seal

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type inner struct {
	Z string `json:"z"`
	B uint64 `json:"b,string"`
}

type outer struct {
	inner
	Y     []string `json:"y,omitempty"`
	A     int32    `json:"a"`
	D     Digest   `json:"d,omitzero"`
	K     *inner   `json:"k,omitempty"`
	L     []inner  `json:"l"`
	Flag  bool     `json:"flag,omitempty"`
	Small uint32   `json:"_small"`
	Big   int64    `json:"big,string,omitempty"`
}

// TestMarshalAgrees holds Marshal against encoding/json and CanonicalJSON.
func TestMarshalAgrees(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.StringMatching(`["\\/<>&\x00-\x20\x7f-\x{a0}\x{2028}]*`))
	inners := rapid.Custom(func(t *rapid.T) inner {
		return inner{texts.Draw(t, "z"), rapid.Uint64().Draw(t, "b")}
	})
	rapid.Check(t, func(t *rapid.T) {
		value := outer{
			inner: inners.Draw(t, "inner"),
			Y:     rapid.SliceOf(texts).Draw(t, "y"),
			A:     rapid.Int32().Draw(t, "a"),
			L:     append([]inner{}, rapid.SliceOfN(inners, 0, 3).Draw(t, "l")...),
			Flag:  rapid.Bool().Draw(t, "flag"),
			Small: rapid.Uint32().Draw(t, "small"),
			Big:   rapid.Int64().Draw(t, "big"),
		}
		if rapid.Bool().Draw(t, "digest") {
			value.D = Sum([]byte(value.Z))
		}
		if rapid.Bool().Draw(t, "pointer") {
			value.K = &value.inner
		}
		plain, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		want, err := CanonicalJSON(plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Marshal(value)
		if err != nil || string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
		}
	})
}

func TestMarshalEdges(t *testing.T) {
	got, err := Marshal(&outer{})
	if want := `{"_small":0,"a":0,"b":"0","l":[],"z":""}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	type holder struct {
		H any `json:"h"`
	}
	got, err = Marshal([]holder{{}, {&inner{Z: "z"}}, {true}})
	if want := `[{"h":null},{"h":{"b":"0","z":"z"}},{"h":true}]`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, c := range []struct {
		value any
		wrong string
	}{
		{outer{inner: inner{Z: "\xff"}}, `z: `},
		{outer{L: []inner{{Z: "\xff"}}}, `l: z: `},
		{struct {
			N uint64 `json:"n"`
		}{1 << 53}, "n: integer 9007199254740992 is beyond"},
		{struct {
			N int64 `json:"n"`
		}{math.MinInt64}, "n: integer -9223372036854775808 is beyond"},
		{struct {
			D Digest `json:"d"`
		}{}, "d: write digest: it is zero"},
	} {
		if got, err := Marshal(c.value); err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("got %s, %v; want an error with %q", got, err, c.wrong)
		}
	}
	for _, value := range []any{1.5, map[string]int{}, struct{ N int }{}, struct {
		N int `json:"n,omitnever"`
	}{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T has a form", value)
				}
			}()
			Marshal(value)
		}()
	}
}
