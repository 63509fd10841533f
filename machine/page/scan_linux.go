package page

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/fs.h, since Linux 6.7.
const (
	pagemapScan = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)

	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsPfnZero = 1 << 5
)

type scanArg struct {
	size, flags, start, end, walkEnd uint64
	vec, vecLen, maxPages            uint64
	inverted, allOf, anyOf, returned uint64
}

// scanBytes is how much is asked of at once: so little that what comes back has
// room in scan.regions whatever it is. (Where it has none, Linux 6.18 was seen
// to leave out pages that it had passed.)
const scanBytes = 512 * Size

type scan struct {
	arg     scanArg
	regions [scanBytes / Size]struct{ start, end, categories uint64 }
}

// pagemap is this process's own, or -1.
var pagemap = sync.OnceValue(func() int {
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
})

// touched visits the parts of memory that were ever written to or that the
// kernel cannot say it of. It reports false if it cannot tell, and may have
// visited some parts then.
func touched(memory []byte, visit func([]byte)) bool {
	fd := pagemap()
	if fd < 0 {
		return false
	}
	base := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
	end := base + uint64(len(memory))
	s := new(scan) // not on the stack: the kernel gets its address as a number
	for start := base; start < end; start += scanBytes {
		s.arg = scanArg{
			size: uint64(unsafe.Sizeof(s.arg)), start: start, end: min(end, start+scanBytes),
			vec: uint64(uintptr(unsafe.Pointer(&s.regions))), vecLen: uint64(len(s.regions)),
			inverted: pageIsPfnZero, allOf: pageIsPfnZero,
			anyOf:    pageIsPresent | pageIsSwapped,
			returned: pageIsPresent,
		}
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), pagemapScan, uintptr(unsafe.Pointer(&s.arg)))
		if errno != 0 || s.arg.walkEnd != s.arg.end {
			return false
		}
		for _, r := range s.regions[:n] {
			visit(memory[r.start-base : r.end-base])
		}
	}
	return true
}
