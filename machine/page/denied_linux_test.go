package page

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deniedEnv names, for a process of TestDenied, what its kernel is to deny.
const deniedEnv = "CARREL_TEST_DENIED"

// TestDenied holds that the next method is taken where the kernel, or who runs
// a container, denies what one needs: in a process of its own, under a filter of
// system calls.
func TestDenied(t *testing.T) {
	if Best() != Async {
		t.Logf("nothing is denied here that works: the best method is %v", Best())
	}
	for _, tt := range []struct {
		denied string
		most   Method // that can work, then
	}{
		{"userfaultfd", Scan},
		{"userfaultfd,scan", Pagemap},
		{"userfaultfd,scan,pread", Compare},
	} {
		t.Run(tt.denied, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^(TestMemory|TestTwoMemories|TestOpenSnapshot|TestBestIsLeft)$", "-test.v")
			cmd.Env = append(os.Environ(), deniedEnv+"="+tt.denied)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if want := "best is " + max(tt.most, Best()).String() + "\n"; !strings.Contains(string(out), want) {
				t.Errorf("not %q:\n%s", want, out)
			}
		})
	}
}

func TestBestIsLeft(t *testing.T) { t.Logf("best is %v", Best()) }

func TestMain(m *testing.M) {
	if denied := os.Getenv(deniedEnv); denied != "" {
		if err := deny(denied); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// deny makes system calls of this process fail with EPERM from now on.
func deny(what string) error {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K

		allow  = 0x7fff0000
		refuse = 0x00050000 | uint32(unix.EPERM)

		number, second = 0, 16 + 8 // offsets in struct seccomp_data
	)
	filter := []unix.SockFilter{{Code: load, K: number}}
	for _, name := range strings.Split(what, ",") {
		switch name {
		case "userfaultfd":
			filter = append(filter, unix.SockFilter{Code: equal, K: unix.SYS_USERFAULTFD, Jf: 1}, unix.SockFilter{Code: ret, K: refuse})
		case "pread":
			filter = append(filter, unix.SockFilter{Code: equal, K: unix.SYS_PREAD64, Jf: 1}, unix.SockFilter{Code: ret, K: refuse})
		case "scan":
			filter = append(filter, unix.SockFilter{Code: equal, K: unix.SYS_IOCTL, Jf: 4},
				unix.SockFilter{Code: load, K: second}, unix.SockFilter{Code: equal, K: pagemapScan, Jf: 1},
				unix.SockFilter{Code: ret, K: refuse}, unix.SockFilter{Code: load, K: number})
		}
	}
	filter = append(filter, unix.SockFilter{Code: ret, K: allow})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	const setModeFilter, threadSync = 1, 1
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, threadSync, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if errno != 0 {
		return errno
	}
	return nil
}
