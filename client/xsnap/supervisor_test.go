package xsnap_test

import (
	"bytes"
	"context"
	"testing"

	"carrel/client/xsnap"
	"carrel/client/xsnap/xsnaptest"
	jsbundle "carrel/guest/js/bundle"
)

// bundle is the script that a bundle is.
func bundle(t testing.TB, name string) string {
	t.Helper()
	b, err := jsbundle.Read(xsnaptest.Program(t, name))
	if err != nil {
		t.Fatal(err)
	}
	source, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// supervised is a snapshot of a worker with lockdown and supervisor.
func supervised(t testing.TB, path string) []byte {
	t.Helper()
	w := start(t, xsnap.Options{Path: path, MeteringLimit: 1e8})
	for _, name := range []string{"lockdown.bundle", "supervisor.bundle"} {
		reply := evaluate(t, w, bundle(t, name))
		t.Logf("%s: %+v", name, reply.Meter)
	}
	var snapshot bytes.Buffer
	if _, err := w.Snapshot(context.Background(), &snapshot); err != nil {
		t.Fatal(err)
	}
	return snapshot.Bytes()
}

// TestSupervisor has the published supervisor do what it was seen to do elsewhere,
// in one worker, and in a new one for every delivery, which goes on from the
// snapshot of the one before: with the same meters. XS computes something else
// after a snapshot, and has collected something else when vats are asked for their dead.
func TestSupervisor(t *testing.T) {
	t.Run("carrel", func(t *testing.T) {
		testSupervisor(t, xsnaptest.Worker(t), true, func() *xsnaptest.Transcript { return xsnaptest.Supervisor(t) })
	})
	t.Run("npm", func(t *testing.T) {
		testSupervisor(t, xsnaptest.Genuine(t), false, func() *xsnaptest.Transcript { return xsnaptest.Supervisor(t).Before("bringOutYourDead") })
	})
}

func testSupervisor(t *testing.T, path string, same bool, supervisor func() *xsnaptest.Transcript) {
	snapshot := supervised(t, path)
	t.Logf("snapshot of %d bytes", len(snapshot))
	var straight []uint64
	script := supervisor()
	w := start(t, xsnap.Options{Path: path, MeteringLimit: 1e8, Handle: script.Handle, Snapshot: bytes.NewReader(snapshot)})
	for script.More() {
		straight = append(straight, deliver(t, w, script))
	}
	t.Logf("compute: %d", straight)

	script = supervisor()
	for n := range straight {
		w := start(t, xsnap.Options{Path: path, MeteringLimit: 1e8, Handle: script.Handle, Snapshot: bytes.NewReader(snapshot)})
		if compute := deliver(t, w, script); same && compute != straight[n] {
			t.Errorf("delivery %d computes %d, in one worker %d", n+1, compute, straight[n])
		}
		var after bytes.Buffer
		if _, err := w.Snapshot(context.Background(), &after); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		snapshot = after.Bytes()
	}
}

// deliver makes the next delivery of a script, and answers what it computed.
func deliver(t testing.TB, w *xsnap.Worker, script *xsnaptest.Transcript) uint64 {
	t.Helper()
	message, err := script.Next("CMD")
	if err != nil {
		t.Fatal(err)
	}
	reply, err := w.Deliver(context.Background(), []byte(message))
	if err == nil {
		err = script.Expect("RES", string(reply.Result))
	}
	if err != nil {
		t.Fatal(err)
	}
	return reply.Meter.Compute
}
