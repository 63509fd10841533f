package receipt

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/program/seal"
)

func TestVerify(t *testing.T) {
	ann, bob := testKey(1), testKey(2)
	good := mustSign(t, sample(), ann)
	other := mustSign(t, small(), ann)
	with := func(e *seal.Envelope, signatures ...seal.Signature) *seal.Envelope {
		return &seal.Envelope{PayloadType: e.PayloadType, Payload: e.Payload, Signatures: signatures}
	}
	forged := with(good, other.Signatures...)
	byAnn, byBob := good.Signatures[0], mustSign(t, sample(), bob).Signatures[0]

	same := func(context.Context, *Input) (*Result, error) { return &sample().Result, nil }
	moreFuel := func(context.Context, *Input) (*Result, error) {
		r := sample().Result
		r.Fuel++
		return &r, nil
	}
	fails := func(err error) Runner {
		return func(context.Context, *Input) (*Result, error) { return nil, err }
	}
	notRun := func(context.Context, *Input) (*Result, error) {
		t.Error("a receipt with a broken signature was replayed")
		return nil, nil
	}
	annID, bobID := ann.ID().String(), bob.ID().String()
	fuel := []Difference{{"fuel", "9007199254740993", "9007199254740994"}}

	for _, c := range []struct {
		name     string
		envelope *seal.Envelope
		trusted  []seal.PrivateKey
		run      Runner
		want     Report
	}{
		{"same", good, []seal.PrivateKey{ann}, same, Report{Verdict: Same, Signers: []seal.KeyID{ann.ID()}}},
		{"same, nobody trusted", good, nil, same, Report{Verdict: Untrusted, Unknown: []string{annID}}},
		{"same, others trusted", good, []seal.PrivateKey{bob}, same, Report{Verdict: Untrusted, Unknown: []string{annID}}},
		{"different", good, []seal.PrivateKey{ann}, moreFuel, Report{Verdict: Different, Signers: []seal.KeyID{ann.ID()}, Differences: fuel}},
		{"different, nobody trusted", good, nil, moreFuel, Report{Verdict: Different, Unknown: []string{annID}, Differences: fuel}},
		{"broken", forged, []seal.PrivateKey{ann}, notRun, Report{
			Verdict: Different, Broken: []string{annID}, Reason: "the signature does not fit what was signed",
			Differences: []Difference{{"signature", "valid, by " + annID, "broken"}},
		}},
		{"broken, of a key that nobody trusts", forged, []seal.PrivateKey{bob}, same, Report{Verdict: Untrusted, Unknown: []string{annID}}},
		{"broken beside an unknown one", with(good, other.Signatures[0], byBob), []seal.PrivateKey{ann}, notRun, Report{
			Verdict: Different, Broken: []string{annID}, Unknown: []string{bobID}, Reason: "the signature does not fit what was signed",
			Differences: []Difference{{"signature", "valid, by " + annID, "broken"}},
		}},
		{"broken beside a good one", with(good, other.Signatures[0], byBob), []seal.PrivateKey{ann, bob}, same,
			Report{Verdict: Same, Signers: []seal.KeyID{bob.ID()}, Broken: []string{annID}}},
		{"two signers", with(good, byAnn, byBob), []seal.PrivateKey{ann, bob}, same,
			Report{Verdict: Same, Signers: []seal.KeyID{ann.ID(), bob.ID()}}},
		{"something is missing", good, []seal.PrivateKey{ann}, fails(&MissingError{[]string{"program"}}),
			Report{Verdict: Cannot, Signers: []seal.KeyID{ann.ID()}, Missing: []string{"program"}, Reason: "missing program"}},
		{"the engine cannot", good, nil, fails(errors.New("too deep for the interpreter")),
			Report{Verdict: Cannot, Unknown: []string{annID}, Reason: "too deep for the interpreter"}},
		{"the guest went elsewhere", good, nil, fails(&DivergedError{Field: "mount /data x", Got: "read"}),
			Report{Verdict: Different, Unknown: []string{annID}, Reason: "diverged at mount /data x: read",
				Differences: []Difference{{"mount /data x", "", "read"}}}},
		{"no receipt", &seal.Envelope{PayloadType: "text/plain"}, nil, same,
			Report{Verdict: Cannot, Reason: `payload type is "text/plain", want "application/vnd.in-toto+json"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var trusted []seal.PublicKey
			for _, key := range c.trusted {
				trusted = append(trusted, key.Public())
			}
			if diff := cmp.Diff(c.want, Verify(t.Context(), c.envelope, trusted, c.run)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVerdictsAreExitCodes(t *testing.T) {
	for n, want := range []string{"same", "different", "cannot", "untrusted", "verdict(4)"} {
		if got := Verdict(n).String(); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// TestChangedReceiptIsNeverSame changes every bit of the payload of a receipt
// and leaves its signature: nobody who trusts the signer is ever told "same".
func TestChangedReceiptIsNeverSame(t *testing.T) {
	key := testKey(1)
	good := mustSign(t, small(), key)
	runner := func(context.Context, *Input) (*Result, error) { return &small().Result, nil }
	for bit := range 8 * len(good.Payload) {
		bad := *good
		bad.Payload = slices.Clone(good.Payload)
		bad.Payload[bit/8] ^= 1 << (bit % 8)
		report := Verify(t.Context(), &bad, []seal.PublicKey{key.Public()}, runner)
		if report.Verdict != Different && report.Verdict != Cannot {
			t.Fatalf("bit %d: %s", bit, report.Verdict)
		}
	}
}
