package confine

import (
	"fmt"

	"golang.org/x/sys/unix"

	"carrel/machine/page"
)

// NoDump has the memory of this process never be written to a core file, nor be read
// by processes that are not privileged: there are secrets in it.
func NoDump() error {
	page.Best() // which finds out what it may not afterwards
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil || dumpable != 0 {
		return fmt.Errorf("forbid core dumps: it is %d after it was set to 0 (%v)", dumpable, err)
	}
	return nil
}
