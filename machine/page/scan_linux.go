package page

import (
	"encoding/binary"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/fs.h, since Linux 6.7.
const (
	pagemapScan = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)

	scanProtect    = 1 << 0 // write-protect what is found
	scanCheckAsync = 1 << 1 // fail where writes are not noted

	pageIsWritten = 1 << 1
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsPfnZero = 1 << 5
)

// From linux/userfaultfd.h.
const (
	uffdUserModeOnly = 1
	uffdAPI          = 0xaa
	uffdioAPI        = 0xc018aa3f // _IOWR(0xaa, 0x3f, struct uffdio_api)
	uffdioRegister   = 0xc020aa00 // _IOWR(0xaa, 0x00, struct uffdio_register)
	featureWPAsync   = 1 << 15
	registerModeWP   = 1 << 1
)

type scanArg struct {
	size, flags, start, end, walkEnd uint64
	vec, vecLen, maxPages            uint64
	inverted, allOf, anyOf, returned uint64
}

// scanPages is how much is asked of at once: so little that what comes back has
// room in scanBuffer.regions whatever it is, since neighbours are one region.
// (Where it has none, Linux 6.18 was seen to leave out pages that it had
// passed.)
const scanPages = 8192

type scanBuffer struct {
	arg     scanArg
	regions [scanPages/2 + 1]struct{ start, end, categories uint64 }
}

var scanBuffers = sync.Pool{New: func() any { return new(scanBuffer) }}

// pagemap is this process's own, or -1.
var pagemap = sync.OnceValue(func() int {
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
})

// userfault is a userfaultfd with write-protect async, or -1.
var userfault = sync.OnceValue(func() int {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|uffdUserModeOnly, 0, 0)
	if errno != 0 {
		return -1
	}
	api := [3]uint64{uffdAPI, featureWPAsync}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uffdioAPI, uintptr(unsafe.Pointer(&api))); errno != 0 {
		_ = unix.Close(int(fd))
		return -1
	}
	return int(fd)
})

func available(m Method) bool {
	return pagemap() >= 0 && (m != Async || userfault() >= 0)
}

// written visits the parts of memory that are this process's own: that were
// written to since they were mapped, from a file or from nothing. It reports
// false if it cannot tell, and may have visited some parts then.
func written(memory []byte, method Method, visit func([]byte)) bool {
	if pagemap() < 0 {
		return false
	}
	switch method {
	case Auto, Async, Scan:
		return ask(memory, &scanArg{
			inverted: pageIsFile | pageIsPfnZero, allOf: pageIsFile | pageIsPfnZero,
			anyOf:    pageIsPresent | pageIsSwapped,
			returned: pageIsPresent,
		}, func(first, end int) { visit(memory[first*Size : end*Size]) })
	case Pagemap:
		return readPagemap(memory, visit)
	}
	return false
}

// arm makes the kernel note which pages of reserved are written to from now on.
// Memory is the part of it that may have been.
func arm(reserved, memory []byte) bool {
	register := [4]uint64{address(reserved), uint64(len(reserved)), registerModeWP}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(userfault()), uffdioRegister, uintptr(unsafe.Pointer(&register)))
	return errno == 0 && scan(memory, func(int, int) {})
}

// scan visits the pages, by their numbers, that were written to since the last
// scan or since memory was mapped, and begins anew. It is an arrangement that
// costs nothing where nothing is written: pages that are still those of the file
// are not write-protected, they are told apart by being the file's.
func scan(memory []byte, visit func(first, end int)) bool {
	return ask(memory, &scanArg{
		flags:    scanProtect | scanCheckAsync,
		inverted: pageIsFile | pageIsPfnZero, allOf: pageIsWritten | pageIsFile | pageIsPfnZero,
		anyOf:    pageIsPresent | pageIsSwapped,
		returned: pageIsWritten,
	}, visit)
}

// ask asks the kernel which pages of memory are of some kind.
func ask(memory []byte, what *scanArg, visit func(first, end int)) bool {
	b := scanBuffers.Get().(*scanBuffer) // not on the stack: the kernel gets its address as a number
	defer scanBuffers.Put(b)
	start := address(memory)
	for first := 0; first < len(memory)/Size; first += scanPages {
		from := start + uint64(first*Size)
		b.arg = *what
		b.arg.size, b.arg.start, b.arg.end = uint64(unsafe.Sizeof(b.arg)), from, min(start+uint64(len(memory)), from+scanPages*Size)
		b.arg.vec, b.arg.vecLen = uint64(uintptr(unsafe.Pointer(&b.regions))), uint64(len(b.regions))
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(pagemap()), pagemapScan, uintptr(unsafe.Pointer(&b.arg)))
		if errno != 0 || b.arg.walkEnd != b.arg.end {
			return false
		}
		for _, r := range b.regions[:n] {
			visit(int(r.start-start)/Size, int(r.end-start)/Size)
		}
	}
	return true
}

// Bits of an entry of /proc/self/pagemap.
const (
	entryFile    = 1 << 61
	entrySwapped = 1 << 62
	entryPresent = 1 << 63
)

// readPagemap does what written does by reading what the kernel says of every
// page; it cannot tell the page of zeros from others. It knows the kernel's own
// pages only, which must be of our size.
func readPagemap(memory []byte, visit func([]byte)) bool {
	if unix.Getpagesize() != Size {
		return false
	}
	var entries [8 * 4096]byte
	for first := 0; first < len(memory)/Size; first += len(entries) / 8 {
		b := entries[:min(len(entries), (len(memory)/Size-first)*8)]
		n, err := unix.Pread(pagemap(), b, int64(address(memory)/Size+uint64(first))*8)
		if err != nil || n != len(b) {
			return false
		}
		for i := range len(b) / 8 {
			e := binary.NativeEndian.Uint64(b[8*i:])
			if e&(entryPresent|entrySwapped) != 0 && e&entryFile == 0 {
				visit(memory[(first+i)*Size : (first+i+1)*Size])
			}
		}
	}
	return true
}

func pointer(memory []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(memory)) }

func address(memory []byte) uint64 { return uint64(uintptr(pointer(memory))) }
