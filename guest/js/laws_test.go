package js_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"carrel/guest/js"
	"carrel/machine/image"
	"carrel/turn"
)

var deliveries = flag.Int("deliveries", 60, "how many messages the laws of images are tried with, on each engine")

// host is what a worker sees of its host, and remembers of it.
type host struct{ seen strings.Builder }

func (h *host) config() js.Config {
	return js.Config{
		Seed: []byte("laws"), Limits: js.Limits{Compute: 1_000_000_000},
		Print: func(line string) error { fmt.Fprintln(&h.seen, line); return nil },
		Command: func(message []byte) ([]byte, error) {
			fmt.Fprintf(&h.seen, "? %s\n", message)
			return append([]byte("answer to "), message...), nil
		},
	}
}

// seenTurn is all that can be seen of a turn.
type seenTurn struct {
	reply   string
	compute uint64
	outcome turn.Outcome
	host    string
	root    string
}

func turnOf(t *testing.T, w *js.Worker, h *host, n int) (seenTurn, *image.Image) {
	t.Helper()
	h.seen.Reset()
	if err := w.SetNow(uint64(n) * 1_000_000_000); err != nil {
		t.Fatal(err)
	}
	reply, err := w.Deliver(fmt.Appendf(nil, "%d", n))
	if err != nil || reply.Type != js.TypeBytes {
		t.Fatalf("message %d: %s, %v", n, show(reply), err)
	}
	outcome, img, err := w.Commit()
	if err != nil || img == nil {
		t.Fatalf("message %d: %+v, %v", n, outcome, err)
	}
	return seenTurn{string(reply.Bytes), reply.Compute, outcome, h.seen.String(), img.RootString()}, img
}

// TestLaws runs a worker straight on one engine; and stops, keeps and restores one
// after every message on all of them: the same replies for the same fuel, the
// same calls of the host, the same images.
func TestLaws(t *testing.T) {
	state, err := os.ReadFile("testdata/state.js")
	if err != nil {
		t.Fatal(err)
	}
	begin := func(engine *js.Engine, h *host) *js.Worker {
		w := start(t, engine, h.config())
		evaluate(t, w, string(state))
		return w
	}
	all := engines(t)
	straight := new(host)
	first := begin(all["wazero"], straight)
	if _, err := first.Snapshot(); err != nil {
		t.Fatal(err)
	}
	images, hosts := map[string]*image.Image{}, map[string]*host{}
	for name, engine := range all {
		hosts[name] = new(host)
		if images[name], err = begin(engine, hosts[name]).Snapshot(); err != nil {
			t.Fatal(err)
		}
	}
	for n := range *deliveries {
		want, _ := turnOf(t, first, straight, n)
		for name, engine := range all {
			w, err := engine.Restore(images[name], hosts[name].config())
			if err != nil {
				t.Fatal(err)
			}
			got, img := turnOf(t, w, hosts[name], n)
			if got != want {
				t.Fatalf("message %d on %s: %+v, straight it is %+v", n, name, got, want)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			images[name] = img
			if n%16 == 0 {
				images[name] = kept(t, engine, img)
			}
		}
	}
	t.Logf("%d messages on %d engines, %s", *deliveries, len(all), images["wazero"].RootString())
}

// kept is an image that was a file.
func kept(t *testing.T, engine *js.Engine, img *image.Image) *image.Image {
	t.Helper()
	var file bytes.Buffer
	if err := image.Write(&file, img, engine.Label()); err != nil {
		t.Fatal(err)
	}
	again, label, err := image.Read(&file, image.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if *label != *engine.Label() {
		t.Errorf("label %+v", label)
	}
	return again
}

// TestRollback has a worker go back to its last image, in whatever state it is.
func TestRollback(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			w := start(t, engine, js.Config{Limits: js.Limits{Fuel: 20_000_000}})
			evaluate(t, w, "var n = 0; const f = () => { n += 1 }")
			evaluate(t, w, "n = 1; setImmediate(() => n++)")
			img, err := w.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			for _, after := range []string{"n = 7", "for (;;);", "new ArrayBuffer(2e6); n = 8", "try { new ArrayBuffer(2e9) } catch {}", "setImmediate(() => { throw 1 })"} {
				if _, err := w.Evaluate(after); err != nil {
					t.Fatal(err)
				}
				if err := w.Rollback(); err != nil {
					t.Fatal(err)
				}
				again, err := w.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				if again.Root() != img.Root() {
					t.Errorf("after %s and a rollback the image is another one", after)
				}
				if got := show(evaluate(t, w, "n")); got != "number 2" {
					t.Errorf("after %s and a rollback n is %s", after, got)
				}
				if err := w.Rollback(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestCommit has the changed pages paid for, or the turn is a fault.
func TestCommit(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			w := start(t, engine, js.Config{})
			fuel := evaluate(t, w, "1").Outcome.Fuel
			outcome, img, err := w.Commit()
			if err != nil || img == nil || outcome.Class != turn.Exit || outcome.Fuel <= fuel {
				t.Fatalf("%+v of %d, %v", outcome, fuel, err)
			}
			if err := w.SetLimits(js.Limits{Fuel: evaluate(t, w, "1").Outcome.Fuel + 100}); err != nil {
				t.Fatal(err)
			}
			if err := w.Rollback(); err != nil {
				t.Fatal(err)
			}
			if reply := evaluate(t, w, "1"); reply.Text != "1" {
				t.Errorf("%+v", reply)
			}
			outcome, img, err = w.Commit()
			if err != nil || img != nil || outcome.Class != turn.Fuel {
				t.Errorf("%+v, %v, %v", outcome, img, err)
			}
			if _, _, err = w.Commit(); err == nil {
				t.Error("a faulted worker is committed")
			}
		})
	}
}

// TestBadImages has images that are no worker's.
func TestBadImages(t *testing.T) {
	engine := engines(t)["wazero"]
	good, err := start(t, engine, js.Config{}).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, want string
		image      *image.Image
	}{
		{"no host region", "host region: EOF", &image.Image{Memory: good.Memory, Globals: good.Globals}},
		{"text", "host region: ", &image.Image{Memory: good.Memory, Globals: good.Globals, Host: []byte("hello")}},
		{"long", "the limit is 1024", &image.Image{Memory: good.Memory, Globals: good.Globals, Host: make([]byte, 2000)}},
		{"no memory", "image does not fit", &image.Image{Globals: good.Globals, Host: good.Host}},
	} {
		w, err := engine.Restore(test.image, js.Config{})
		if err == nil {
			w.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
