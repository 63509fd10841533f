package receipt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"carrel/program/seal"
)

// A Verdict is what verifying a receipt came to. Its number is the exit code of
// carrel verify.
type Verdict int

const (
	Same      Verdict = 0 // the replay gave the same result, and somebody trusted signed it
	Different Verdict = 1 // the replay gave another result, or a trusted key's signature is broken
	Cannot    Verdict = 2 // nothing can be said: see Report.Missing and Report.Reason
	Untrusted Verdict = 3 // the same result, but signed by nobody trusted
)

// A Runner runs a turn again from its inputs. Everything it feeds to the guest
// must have the digests that input names. It returns an error if it cannot:
// a *MissingError where bytes are missing, a *DivergedError where the guest did
// what it did not do before, any other error where the engine or host could not
// run it, or was stopped.
type Runner func(ctx context.Context, input *Input) (*Result, error)

// A MissingError says which inputs a Runner does not have.
type MissingError struct {
	Missing []string // for people: "program sha256:…"
}

func (e *MissingError) Error() string { return "missing " + strings.Join(e.Missing, ", ") }

// A DivergedError reports a replay that cannot go on because the guest looked
// at, or asked for, what the receipt says it did not: it is another turn.
type DivergedError struct {
	Field    string // "mount /data in.txt"
	Expected string // what the receipt says, "" if nothing
	Got      string // what the guest did
}

func (e *DivergedError) Error() string { return "diverged at " + e.Field + ": " + e.Got }

// A Report is the outcome of Verify.
type Report struct {
	Verdict     Verdict
	Signers     []seal.KeyID // trusted keys whose signatures are valid
	Broken      []string     // claimed key ids of signatures that should be of a trusted key and are not
	Unknown     []string     // claimed key ids that nobody trusts
	Differences []Difference // with Different
	Missing     []string     // with Cannot
	Reason      string       // with Cannot and with a broken signature, for people
}

// Verify decodes the statement in an envelope, checks its signatures against the
// keys that the caller trusts, and replays its turns. In order:
//
//  1. An envelope that holds no receipt: Cannot.
//  2. No valid signature of a trusted key, and one that claims to be: Different,
//     nothing is run. Somebody changed what was signed.
//  3. The runner cannot: Cannot.
//  4. Another result, or a guest that diverged: Different, whoever signed it. The
//     turns after that are not run.
//  5. The same result: Same if a trusted key signed it, else Untrusted.
//
// A broken signature beside a valid one of a trusted key changes no verdict; it
// is reported.
func Verify(ctx context.Context, envelope *seal.Envelope, trusted []seal.PublicKey, run Runner) Report {
	s, err := FromEnvelope(envelope)
	if err != nil {
		return Report{Verdict: Cannot, Reason: err.Error()}
	}
	check, err := envelope.Check(s.context(), trusted)
	if err != nil {
		return Report{Verdict: Cannot, Reason: err.Error()}
	}
	report := signatures(check)
	if len(check.Good) == 0 && len(check.Broken) > 0 {
		report.Verdict = Different
		report.Reason = "the signature does not fit what was signed"
		for _, id := range report.Broken {
			report.Differences = append(report.Differences, Difference{"signature", "valid, by " + orNothing(id), "broken"})
		}
		return report
	}
	for n, turn := range s.Turns() {
		if got, err := run(ctx, &turn.Input); err != nil {
			report.judge(err)
		} else if report.Differences = Compare(&turn.Result, got); len(report.Differences) > 0 {
			report.Verdict = Different
		}
		if report.Verdict != Same {
			report.at(n, len(s.Turns()))
			return report
		}
	}
	if len(check.Good) == 0 {
		report.Verdict = Untrusted
	}
	return report
}

// at says which of several turns the report is about.
func (r *Report) at(n, turns int) {
	if turns == 1 {
		return
	}
	for i := range r.Differences {
		r.Differences[i].Field = fmt.Sprintf("turn %d of %d: %s", n+1, turns, r.Differences[i].Field)
	}
	if r.Reason != "" {
		r.Reason = fmt.Sprintf("turn %d of %d: %s", n+1, turns, r.Reason)
	}
}

// judge fills in what the error of a runner means.
func (r *Report) judge(err error) {
	r.Verdict, r.Reason = Cannot, err.Error()
	if missing := (*MissingError)(nil); errors.As(err, &missing) {
		r.Missing = missing.Missing
	}
	if diverged := (*DivergedError)(nil); errors.As(err, &diverged) {
		r.Verdict = Different
		r.Differences = []Difference{{diverged.Field, diverged.Expected, diverged.Got}}
	}
}

func signatures(check seal.Check) Report {
	var report Report
	for _, key := range check.Good {
		report.Signers = append(report.Signers, key.ID())
	}
	for _, signature := range check.Broken {
		report.Broken = append(report.Broken, signature.KeyID)
	}
	for _, signature := range check.Unknown {
		report.Unknown = append(report.Unknown, signature.KeyID)
	}
	return report
}

func (v Verdict) String() string {
	switch v {
	case Same:
		return "same"
	case Different:
		return "different"
	case Cannot:
		return "cannot"
	case Untrusted:
		return "untrusted"
	}
	return fmt.Sprintf("verdict(%d)", int(v))
}
