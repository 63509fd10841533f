package js

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"carrel/program/seal"
)

// A region is what the host must remember of a worker between turns, in the host
// region of its image: canonical CBOR, an array.
type region struct {
	_       struct{}      `cbor:",toarray"`
	Version uint64        // regionVersion
	Engine  seal.Digest   // of the wasm
	Shim    seal.Digest   // of the source of the shim
	Bundles []seal.Digest // that ran before all else, in order
	Turns   uint64        // that there were
	Real    uint64        // nanoseconds since 1970 that the real-time clock shows
	Elapsed uint64        // nanoseconds of readings, over all turns
	Handles handles
}

// handles are the addresses in the guest's memory that the host holds. What is
// there is the guest's: an address that is wrong harms nobody but the guest.
type handles struct {
	_         struct{} `cbor:",toarray"`
	Evaluate  uint32   // boxes of the shim's functions
	Deliver   uint32   //
	Next      uint32   //
	Rejected  uint32   //
	Undefined uint32   // a box
	Scratch   uint32   // scratchBytes of memory
}

const (
	regionVersion  = 1
	regionBytesMax = 1 << 10
	// scratchBytes is room for a length; an argument, at scratchArgs; and what is
	// handed in, if it is short, from scratchInbox on.
	scratchBytes = scratchInbox + inboxBytes
	scratchArgs  = 8
	scratchInbox = 16
	inboxBytes   = 4 << 10
)

var (
	regionEncoding = must(cbor.CoreDetEncOptions().EncMode())
	regionDecoding = must(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxArrayElements: 16, MaxNestedLevels: 4}.DecMode())
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

func (r *region) encode() []byte {
	b, err := regionEncoding.Marshal(r)
	if err != nil {
		panic(err) // it is nothing but numbers and digests
	}
	return b
}

// readRegion reads what encode made.
func readRegion(b []byte) (r region, err error) {
	if len(b) > regionBytesMax {
		return r, fmt.Errorf("host region of %d bytes, the limit is %d", len(b), regionBytesMax)
	}
	if err := regionDecoding.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("host region: %w", err)
	}
	switch {
	case r.Version != regionVersion:
		return r, fmt.Errorf("host region of version %d, this is version %d", r.Version, regionVersion)
	case string(r.encode()) != string(b):
		return r, errors.New("host region is not in canonical form")
	case len(r.Bundles) > BundlesMax:
		return r, fmt.Errorf("host region: %d bundles, the limit is %d", len(r.Bundles), BundlesMax)
	case r.Real > timeMax || r.Elapsed > timeMax:
		return r, fmt.Errorf("host region: a clock beyond %d", uint64(timeMax))
	}
	return r, nil
}
