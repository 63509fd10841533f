package page

import (
	"math/rand/v2"
	"testing"
)

// TestNonZeroMissesNothing writes and reads pages of fresh reservations at
// random, so that some were never touched, some only read, and some hold zeros
// that were written.
func TestNonZeroMissesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 60 {
		reserved, err := Reserve()
		if err != nil {
			t.Fatal(err)
		}
		memory := reserved.Sized(uint64(17+random.IntN(5000)) * Size)
		for range random.IntN(2 * len(memory) / Size) {
			at := random.IntN(len(memory))
			switch random.IntN(4) {
			case 0:
				_ = memory[at]
			case 1:
				memory[at] = 0
			default:
				memory[at] = 1
			}
		}
		if got, want := NonZero(memory), nonZero(memory); got != want {
			t.Fatalf("round %d: %d pages that are not zero, want %d", round, got, want)
		}
		reserved.Release()
	}
}
