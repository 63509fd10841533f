package xsnap_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/client/xsnap"
	"carrel/client/xsnap/xsnaptest"
)

// both runs a benchmark with Carrel's worker, and with npm's.
func both(b *testing.B, bench func(b *testing.B, path string)) {
	b.Run("carrel", func(b *testing.B) { bench(b, xsnaptest.Worker(b)) })
	b.Run("npm", func(b *testing.B) { bench(b, xsnaptest.Genuine(b)) })
}

// lockedDown is a snapshot of a worker after the published lockdown, with a handler
// that parses a message and answers as much, and so many MiB in its heap.
func lockedDown(b *testing.B, path string, mib int) []byte {
	b.Helper()
	w := start(b, xsnap.Options{Path: path})
	defer w.Terminate()
	evaluate(b, w, bundle(b, "lockdown.bundle"))
	evaluate(b, w, `const decoder = new TextDecoder(), encoder = new TextEncoder();
		let count = 0;
		globalThis.handleCommand = (message) => {
			const { method, args } = JSON.parse(decoder.decode(message));
			count += 1;
			const report = {};
			Promise.resolve(args).then((args) => { report.result = encoder.encode(JSON.stringify({ method, args, count })).buffer; });
			return report;
		};
		globalThis.kept = [];`)
	evaluate(b, w, fmt.Sprintf("for (let n = 0; n < %d; n++) kept.push(new Uint8Array(1 << 16).fill(n %% 251 + 1))", mib*16))
	var snapshot bytes.Buffer
	if _, err := w.Snapshot(context.Background(), &snapshot); err != nil {
		b.Fatal(err)
	}
	return snapshot.Bytes()
}

// A fastest is the shortest time that something took: what it takes where nothing
// else runs.
type fastest struct {
	began time.Time
	least time.Duration
}

func (f *fastest) begin() { f.began = time.Now() }

func (f *fastest) end() {
	if took := time.Since(f.began); f.least == 0 || took < f.least {
		f.least = took
	}
}

func (f *fastest) report(b *testing.B) { b.ReportMetric(float64(f.least.Microseconds()), "min-µs/op") }

// message is of 200 bytes.
var message = []byte(fmt.Sprintf(`{"method":"deliver","args":["%0160d",1,2]}`, 7))

// BenchmarkStart is from nothing to a worker that is ready.
func BenchmarkStart(b *testing.B) {
	both(b, func(b *testing.B, path string) {
		start(b, xsnap.Options{Path: path}) // compiles, if need be
		var f fastest
		defer f.report(b)
		for b.Loop() {
			f.begin()
			w := start(b, xsnap.Options{Path: path})
			f.end()
			b.StopTimer()
			_ = w.Terminate()
			b.StartTimer()
		}
	})
}

// BenchmarkStartHardened is from a snapshot, through a pipe, to a worker after
// lockdown that is ready.
func BenchmarkStartHardened(b *testing.B) {
	both(b, func(b *testing.B, path string) {
		snapshot := lockedDown(b, path, 0)
		var f fastest
		defer f.report(b)
		for b.Loop() {
			f.begin()
			w := start(b, xsnap.Options{Path: path, Snapshot: bytes.NewReader(snapshot)})
			f.end()
			b.StopTimer()
			_ = w.Terminate()
			b.StartTimer()
		}
		b.ReportMetric(float64(len(snapshot))/1e6, "MB")
	})
}

// BenchmarkDeliver is a message of 200 bytes and its answer.
func BenchmarkDeliver(b *testing.B) {
	both(b, func(b *testing.B, path string) {
		w := start(b, xsnap.Options{Path: path, Snapshot: bytes.NewReader(lockedDown(b, path, 0)), MeteringLimit: 1e8})
		compute := uint64(0)
		var f fastest
		defer f.report(b)
		for b.Loop() {
			f.begin()
			reply, err := w.Deliver(context.Background(), message)
			f.end()
			if err != nil || !strings.HasPrefix(string(reply.Result), `{"method":"deliver"`) {
				b.Fatalf("%+v, %v", reply, err)
			}
			compute = reply.Meter.Compute
		}
		b.ReportMetric(float64(compute), "compute")
	})
}

// sizes are of heaps, in MiB beside what lockdown leaves.
var sizes = []int{0, 14, 76}

// BenchmarkSnapshot is a message and the whole heap through the pipe.
func BenchmarkSnapshot(b *testing.B) {
	for _, mib := range sizes {
		b.Run(fmt.Sprintf("%dMiB", mib), func(b *testing.B) {
			both(b, func(b *testing.B, path string) {
				w := start(b, xsnap.Options{Path: path, Snapshot: bytes.NewReader(lockedDown(b, path, mib))})
				size := int64(0)
				var f fastest
				defer f.report(b)
				for b.Loop() {
					f.begin()
					_, err := w.Deliver(context.Background(), message)
					if err == nil {
						size, err = w.Snapshot(context.Background(), io.Discard)
					}
					f.end()
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)/1e6, "MB")
			})
		})
	}
}

// BenchmarkRestore is a worker that starts from a file, and its first message.
func BenchmarkRestore(b *testing.B) {
	for _, mib := range sizes {
		b.Run(fmt.Sprintf("%dMiB", mib), func(b *testing.B) {
			both(b, func(b *testing.B, path string) {
				file := filepath.Join(b.TempDir(), "snapshot")
				if err := os.WriteFile(file, lockedDown(b, path, mib), 0o600); err != nil {
					b.Fatal(err)
				}
				var f fastest
				defer f.report(b)
				for b.Loop() {
					f.begin()
					w := start(b, xsnap.Options{Path: path, SnapshotFile: file})
					if _, err := w.Deliver(context.Background(), message); err != nil {
						b.Fatal(err)
					}
					f.end()
					b.StopTimer()
					_ = w.Terminate()
					b.StartTimer()
				}
			})
		})
	}
}
