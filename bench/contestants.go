package main

import (
	"fmt"
	"time"
)

func nativeContestant(path string, rounds uint64) contestant {
	return contestant{"native", func() (string, time.Duration, error) {
		sum, spent, err := runNative(path, rounds)
		return fmt.Sprint(sum), spent, err
	}}
}

func guestContestant(name string, g guest, rounds uint64) contestant {
	return contestant{name, func() (string, time.Duration, error) {
		var sum uint64
		spent, err := timed(func() (err error) {
			sum, err = g.Call("run", rounds)
			return err
		})
		return fmt.Sprint(sum), spent, err
	}}
}
