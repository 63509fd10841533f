package posix

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// A region is what is remembered between the turns of a program, in the host
// region of its image: canonical CBOR, an array. Descriptors and the file system
// start fresh with every turn.
type region struct {
	_       struct{} `cbor:",toarray"`
	Version uint64   // regionVersion
	Turns   uint64   // that there were
	Real    uint64   // nanoseconds since 1970 that the real-time clock shows
	Elapsed uint64   // nanoseconds of readings and sleep, over all turns
	Busy    uint64   // nanoseconds that the CPU clocks show
}

const (
	regionVersion  = 1
	regionBytesMax = 64
)

var (
	regionEncoding = must(cbor.CoreDetEncOptions().EncMode())
	regionDecoding = must(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.DecMode())
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

// Host is the host region of the image that the turn leaves.
func (s *System) Host() []byte {
	b, err := regionEncoding.Marshal(region{
		Version: regionVersion, Turns: s.turn + 1,
		Real: s.time.real, Elapsed: s.time.elapsed, Busy: s.time.busy,
	})
	if err != nil {
		panic(err) // it is nothing but numbers
	}
	return b
}

// readRegion reads what Host made; nothing is a program that begins.
func readRegion(b []byte) (r region, err error) {
	if len(b) == 0 {
		return r, nil
	}
	if len(b) > regionBytesMax {
		return r, fmt.Errorf("host region of %d bytes, the limit is %d", len(b), regionBytesMax)
	}
	if err := regionDecoding.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("host region: %w", err)
	}
	again, err := regionEncoding.Marshal(r)
	switch {
	case r.Version != regionVersion:
		return r, fmt.Errorf("host region of version %d, this is version %d", r.Version, regionVersion)
	case err != nil || string(again) != string(b):
		return r, fmt.Errorf("host region is not in canonical form")
	case r.Real > timeMax || r.Elapsed > timeMax || r.Busy > timeMax:
		return r, fmt.Errorf("host region: a clock beyond %d", uint64(timeMax))
	}
	return r, nil
}
