package xsnap

import (
	"strconv"
	"time"
)

// timestampsMax is how many times a reply tells: of 250 queries, the command and
// the reply.
const timestampsMax = 502

// timestamps are when a command came, when each query went out and was answered,
// and when the reply went.
type timestamps []time.Time

func (t *timestamps) add(now time.Time) {
	if len(*t) < timestampsMax {
		*t = append(*t, now)
	}
}

// appendTo appends them as JSON: seconds since 1970, with microseconds.
func (t timestamps) appendTo(b []byte) []byte {
	b = append(b, '[')
	for n, at := range t {
		if n > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, at.Unix(), 10)
		micros := strconv.Itoa(1_000_000 + at.Nanosecond()/1000)
		b = append(append(b, '.'), micros[1:]...)
	}
	return append(b, ']')
}
