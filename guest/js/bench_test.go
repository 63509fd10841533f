package js_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"carrel/guest/js"
	"carrel/machine/image"
	"carrel/machine/meter"
)

// message is a delivery of 200 bytes, and echo a handler that parses it and
// answers.
const echo = `
const decoder = new TextDecoder(), encoder = new TextEncoder();
let count = 0;
globalThis.handleCommand = (message) => {
  const { method, args } = JSON.parse(decoder.decode(message));
  count += 1;
  const report = {};
  Promise.resolve(args).then(() => { report.result = encoder.encode(JSON.stringify({ method, count })).buffer; });
  return report;
};`

var message = []byte(fmt.Sprintf(`{"method":"deliver","args":["%0160d",1,2]}`, 7))

// fast are the engines that are worth measuring, with an image of a worker that
// is locked down and takes messages.
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
		loop(b, func() { restore(b, engine, img).Close() })
	})
}

// BenchmarkFirst is BenchmarkReady and a message.
func BenchmarkFirst(b *testing.B) {
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		loop(b, func() {
			w := restore(b, engine, img)
			deliver(b, w, message)
			w.Close()
		})
	})
}

// BenchmarkDeliver is a message of 200 bytes to a live worker.
func BenchmarkDeliver(b *testing.B) {
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		w := restore(b, engine, img)
		defer w.Close()
		var fuel uint64
		loop(b, func() { fuel = deliver(b, w, message).Compute })
		b.ReportMetric(float64(fuel), "fuel")
	})
}

// BenchmarkDeliverImage is a message and the image that it leaves, with its root,
// of workers with heaps of some size.
func BenchmarkDeliverImage(b *testing.B) {
	for _, megabytes := range []int{0, 2, 16, 78} {
		b.Run(fmt.Sprintf("%dMB", megabytes), func(b *testing.B) {
			fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
				w := restore(b, engine, img)
				defer w.Close()
				evaluate(b, w, fmt.Sprintf(fill, megabytes))
				if _, err := w.Snapshot(); err != nil {
					b.Fatal(err)
				}
				var pages uint64
				loop(b, func() {
					used := deliver(b, w, message).Outcome.Fuel
					outcome, img, err := w.Commit()
					if err != nil {
						b.Fatal(err)
					}
					img.Root()
					pages = (outcome.Fuel - used) / meter.PageCost
				})
				b.ReportMetric(float64(pages), "pages")
				b.ReportMetric(float64(w.MemoryBytes())/1e6, "MB")
			})
		})
	}
}

// fill is so many megabytes of objects that stay.
const fill = `
globalThis.kept = [];
for (let n = 0; n < %d * 4000; n++) kept.push({ n, text: 'number ' + n, list: [n, n + 1] });
gc();`

// BenchmarkInstances is 1,000 workers that have had a message: the memory of each
// that no other has.
func BenchmarkInstances(b *testing.B) {
	const count = 1000
	fast(b, func(b *testing.B, engine *js.Engine, img *image.Image) {
		for b.Loop() {
			debug.FreeOSMemory()
			before := anonymous(b)
			workers := make([]*js.Worker, count)
			for n := range workers {
				workers[n] = restore(b, engine, img)
				deliver(b, workers[n], message)
			}
			debug.FreeOSMemory()
			b.ReportMetric((anonymous(b)-before)/count, "KB/worker")
			for _, w := range workers {
				w.Close()
			}
		}
	})
}

// loop tells the shortest time as well, which says more than the mean on a machine
// that has other work to do.
func loop(b *testing.B, do func()) {
	shortest := time.Hour
	for b.Loop() {
		begin := time.Now()
		do()
		shortest = min(shortest, time.Since(begin))
	}
	b.ReportMetric(float64(shortest.Nanoseconds()), "min-ns/op")
}

// anonymous is the memory of this process that no file is behind, in kilobytes.
func anonymous(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes
}
