package js_test

import (
	"fmt"
	"testing"

	"carrel/guest/js"
	"carrel/machine/image"
)

// message is a delivery of 200 bytes, and echo a handler that parses it and
// answers as much.
const echo = `
const decoder = new TextDecoder(), encoder = new TextEncoder();
let count = 0;
globalThis.handleCommand = (message) => {
  const { method, args } = JSON.parse(decoder.decode(message));
  count += 1;
  const report = {};
  Promise.resolve(args).then((args) => { report.result = encoder.encode(JSON.stringify({ method, args, count })).buffer; });
  return report;
};`

var message = []byte(fmt.Sprintf(`{"method":"deliver","args":["%0160d",1,2]}`, 7))

// fast are the engines that are worth measuring.
func fast(b *testing.B, do func(b *testing.B, engine *js.Engine, img *image.Image)) {
	for name, engine := range engines(b) {
		if name == "interpreter" {
			continue
		}
		img := lockedDown(b, engine, "lockdown.bundle")
		w := restore(b, engine, img)
		evaluate(b, w, echo)
		img, err := w.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
		b.Run(name, func(b *testing.B) { do(b, engine, img) })
	}
}

func restore(t testing.TB, engine *js.Engine, img *image.Image) *js.Worker {
	t.Helper()
	w, err := engine.Restore(img, js.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func deliver(t testing.TB, w *js.Worker, message []byte) js.Reply {
	t.Helper()
	reply, err := w.Deliver(message)
	if err != nil || reply.Type != js.TypeBytes {
		t.Fatalf("%+v, %v", reply, err)
	}
	return reply
}

// BenchmarkReady is from the locked-down image to a worker that takes messages.
func BenchmarkReady(b *testing.B) {
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		for b.Loop() {
			restore(b, engine, img).Close()
		}
	})
}

// BenchmarkFirst is BenchmarkReady and a message.
func BenchmarkFirst(b *testing.B) {
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		for b.Loop() {
			w := restore(b, engine, img)
			deliver(b, w, message)
			w.Close()
		}
	})
}

// BenchmarkDeliver is a message of 200 bytes to a live worker.
func BenchmarkDeliver(b *testing.B) {
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		w := restore(b, engine, img)
		defer w.Close()
		var fuel uint64
		for b.Loop() {
			fuel = deliver(b, w, message).Compute
		}
		b.ReportMetric(float64(fuel), "fuel")
	})
}

// BenchmarkDeliverImage is a message and the image that it leaves.
func BenchmarkDeliverImage(b *testing.B) {
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		w := restore(b, engine, img)
		defer w.Close()
		for b.Loop() {
			deliver(b, w, message)
			img, err := w.Snapshot()
			if err != nil {
				b.Fatal(err)
			}
			img.Root()
		}
	})
}
