package main

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	for s, want := range map[string]time.Duration{"30d": 30 * day, "0d": 0, "36h": 36 * time.Hour, "1h30m": 90 * time.Minute, "48h": 2 * day} {
		var a age
		if err := a.Set(s); err != nil || time.Duration(a) != want {
			t.Errorf("%s: %v %v", s, time.Duration(a), err)
		}
		var again age
		if err := again.Set(a.String()); err != nil || again != a {
			t.Errorf("%s: prints as %s, %v", s, a.String(), err)
		}
	}
	for _, s := range []string{"", "d", "-1d", "1.5d", "36501d", "99999999999999999999d", "-1h", "7", "soon"} {
		if err := new(age).Set(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}
