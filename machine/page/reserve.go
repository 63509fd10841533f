package page

import (
	"errors"
	"fmt"
	"sync"
)

// ReservationBytes is the size of the address space of one reservation: the
// largest linear memory there is, whatever a program declares, so that any
// reservation serves any program.
const ReservationBytes = 2 << 30

// guardBytes is the address space of a guarded reservation: all that 32 bits can
// name, and what the largest constant offset can reach beyond it.
const guardBytes = 4<<30 + GuardBytes

// GuardBytes is what a guarded reservation has beyond 4 GiB.
const GuardBytes = 32 << 20

const (
	// reservationsKept is how many free reservations are kept for the next
	// instance.
	reservationsKept = 16
	// resetBytesMax is how much of a reservation may have been in use for it to
	// be worth keeping: clearing more costs as much as making a new one.
	resetBytesMax = 64 << 20
	// wipeBytesMax is how much is cleared by writing zeros: it keeps the pages,
	// and saves the next instance its faults.
	wipeBytesMax = 128 << 10
)

// ErrNoMemory reports that the host has no address space or memory left.
var ErrNoMemory = errors.New("host is out of memory")

// A Reservation is address space for one linear memory, from which memory is
// taken as the guest grows. It never moves, and growing never fails unless it is
// guarded. It is used by one goroutine at a time.
type Reservation struct {
	bytes   []byte // all of it, zero where never written
	used    int    // the largest size handed out
	guarded bool
	open    int // of a guarded one: how much can be read and written
}

// free are reservations for the next instance: open ones, and guarded ones.
var free [2]struct {
	mu   sync.Mutex
	kept []*Reservation
}

func shelf(guarded bool) int {
	if guarded {
		return 1
	}
	return 0
}

// Reserve gives a reservation that is all zero. All of an open one can be read
// and written, whatever was handed out; of a guarded one only that, and all else
// of 4 GiB and GuardBytes faults. Errors: ErrNoMemory.
func Reserve(guarded bool) (*Reservation, error) {
	shelf := &free[shelf(guarded)]
	shelf.mu.Lock()
	if n := len(shelf.kept); n > 0 {
		r := shelf.kept[n-1]
		shelf.kept = shelf.kept[:n-1]
		shelf.mu.Unlock()
		return r, nil
	}
	shelf.mu.Unlock()
	size := uint64(ReservationBytes)
	if guarded {
		size = guardBytes
	}
	bytes, err := reserve(int(size), !guarded)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes: %w: %w", size, ErrNoMemory, err)
	}
	return &Reservation{bytes: bytes, guarded: guarded}, nil
}

// Sized is the reservation's first size bytes. Bytes not handed out before are
// zero. It is nil if size is larger than ReservationBytes, or the host has no
// memory left.
func (r *Reservation) Sized(size uint64) []byte {
	if size > ReservationBytes {
		return nil
	}
	if !r.guarded {
		r.used = max(r.used, int(size))
		return r.bytes[:size:size]
	}
	if r.used == 0 && r.open > int(size) { // open for the one who had it before
		if !protect(r.bytes[size:r.open], false) {
			return nil
		}
		r.open = int(size)
	}
	if r.open < int(size) {
		if !protect(r.bytes[r.open:size], true) {
			return nil
		}
		r.open = int(size)
	}
	r.used = max(r.used, int(size))
	return r.bytes[:size:size]
}

// Shrink takes back what is beyond size, of a guarded reservation. It keeps its
// content.
func (r *Reservation) Shrink(size uint64) bool {
	if !r.guarded || r.open <= int(size) {
		return true
	}
	if !protect(r.bytes[size:r.open], false) {
		return false
	}
	r.open = int(size)
	return true
}

// Release gives the reservation back. No slice of it may be used any more.
func (r *Reservation) Release() {
	if r.reset() && r.keep() {
		return
	}
	r.Drop()
}

// Drop gives the reservation back to the host, whatever is mapped into it.
func (r *Reservation) Drop() {
	release(r.bytes)
	r.bytes = nil
}

// reset makes the reservation all zero again, if that is worth it.
func (r *Reservation) reset() bool {
	used := r.bytes[:r.used]
	if r.guarded && r.open < r.used && !protect(used[r.open:], true) {
		return false
	}
	r.open = max(r.open, r.used)
	r.used = 0
	switch {
	case len(used) <= wipeBytesMax:
		clear(used)
		return true
	case len(used) <= resetBytesMax:
		return clearPages(used)
	}
	return false
}

func (r *Reservation) keep() bool {
	shelf := &free[shelf(r.guarded)]
	shelf.mu.Lock()
	defer shelf.mu.Unlock()
	if len(shelf.kept) == reservationsKept {
		return false
	}
	shelf.kept = append(shelf.kept, r)
	return true
}
