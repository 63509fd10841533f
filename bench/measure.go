package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A contestant is one column of a table: something that does the same work.
type contestant struct {
	name string
	run  func() (result string, spent time.Duration, err error)
}

// A row is one workload: the median time of each contestant, in their order.
type row struct {
	name  string
	times []time.Duration
}

// race runs the contestants in turns, so that what disturbs the machine
// disturbs all of them, and takes medians. All must give the same result.
func race(name string, contestants []contestant, turns int) (row, error) {
	times := make([][]time.Duration, len(contestants))
	want := ""
	for n := range turns + 1 { // the first is to warm up
		for i, c := range contestants {
			result, spent, err := c.run()
			switch {
			case err != nil:
				return row{}, fmt.Errorf("%s, %s: %w", name, c.name, err)
			case want == "":
				want = result
			case result != want:
				return row{}, fmt.Errorf("%s, %s: result %q, expected %q", name, c.name, result, want)
			}
			if n > 0 {
				times[i] = append(times[i], spent)
			}
		}
	}
	r := row{name: name}
	for _, t := range times {
		r.times = append(r.times, median(t))
	}
	return r, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// ratios are the times of one contestant over those of another.
func ratios(rows []row, of, over int) (all []float64) {
	for _, r := range rows {
		all = append(all, float64(r.times[of])/float64(r.times[over]))
	}
	return all
}

func geomean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}

// timed measures the processor time of f in this thread: the caller has locked
// the goroutine to it.
func timed(f func() error) (time.Duration, error) {
	start := threadTime()
	err := f()
	return threadTime() - start, err
}
