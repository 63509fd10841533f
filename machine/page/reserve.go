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
// taken as the guest grows. It never moves, and growing never fails. It is
// used by one goroutine at a time.
type Reservation struct {
	bytes []byte // all of it, readable and writable, zero where never written
	used  int    // the largest size handed out
}

var free struct {
	mu   sync.Mutex
	kept []*Reservation
}

// Reserve gives a reservation that is all zero. Errors: ErrNoMemory.
func Reserve() (*Reservation, error) {
	free.mu.Lock()
	if n := len(free.kept); n > 0 {
		r := free.kept[n-1]
		free.kept = free.kept[:n-1]
		free.mu.Unlock()
		return r, nil
	}
	free.mu.Unlock()
	bytes, err := reserve(ReservationBytes)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes: %w: %w", uint64(ReservationBytes), ErrNoMemory, err)
	}
	return &Reservation{bytes: bytes}, nil
}

// Sized is the reservation's first size bytes. Bytes not handed out before are
// zero. It is nil if size is larger than ReservationBytes.
func (r *Reservation) Sized(size uint64) []byte {
	if size > uint64(len(r.bytes)) {
		return nil
	}
	r.used = max(r.used, int(size))
	return r.bytes[:size:size]
}

// Release gives the reservation back. No slice of it may be used any more.
func (r *Reservation) Release() {
	if r.reset() && r.keep() {
		return
	}
	release(r.bytes)
	r.bytes = nil
}

// reset makes the reservation all zero again, if that is worth it.
func (r *Reservation) reset() bool {
	used := r.bytes[:r.used]
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
	free.mu.Lock()
	defer free.mu.Unlock()
	if len(free.kept) == reservationsKept {
		return false
	}
	free.kept = append(free.kept, r)
	return true
}
