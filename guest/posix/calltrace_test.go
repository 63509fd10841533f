package posix

import (
	"slices"
	"strings"
	"testing"
)

// Every call of WASI has a form, of as many arguments as it has.
func TestCallForms(t *testing.T) {
	for _, c := range calls {
		form, ok := callForms[c.name]
		n := len(form)
		for _, letter := range pairs {
			n += strings.Count(form, string(letter))
		}
		if !ok || n != len(c.params) {
			t.Errorf("%s has %d arguments, its form %q has %d", c.name, len(c.params), form, n)
		}
		for at, letter := range form {
			if !strings.ContainsRune("dixnNOcpsvrb", letter) {
				t.Errorf("%s: no letter %c, at %d", c.name, letter, at)
			}
		}
	}
	if len(callForms) != len(calls) {
		t.Errorf("%d forms, %d calls", len(callForms), len(calls))
	}
}

func TestCallWords(t *testing.T) {
	for _, test := range []struct {
		name  string
		stack []uint64
		errno Errno
		want  string
	}{
		{"path_open", []uint64{3, 1, 100, 7, openCreate | openTruncate, 0x40, 0, flagAppend, 0}, 0, `3, 0x1, "a\x1b[2Jb\n", create|truncate, 0x40, 0x0, 0x1 = 5`},
		{"path_open", []uint64{3, 0, 4096, 1 << 31, 1 << 9, 0, 0, 0, 0}, ENAMETOOLONG, `3, 0x0, a bad address, 0x1000, 512, 0x0, 0x0, 0x0 = ENAMETOOLONG (name too long)`},
		{"path_unlink_file", []uint64{3, 300, 1 << 31}, ENAMETOOLONG, `3, "` + strings.Repeat("x", tracePathMax) + `"… 2147483648 bytes = ENAMETOOLONG (name too long)`},
		{"path_rename", []uint64{3, 100, 1, 4, 101, 1}, 0, `3, "a", 4, "\x1b" = 0`},
		{"fd_write", []uint64{1, 16, 2, 0}, 0, `1, "a\x1bJb" = 5`},
		{"fd_write", []uint64{1, 16, 1 << 31, 0}, EINVAL, `1, a bad address, 0x10 = EINVAL (invalid argument)`},
		{"fd_read", []uint64{0, 16, 2, 0}, 0, `0, "a\x1bJb"… 5 bytes = 5`},
		{"fd_read", []uint64{0, 16, 2, 0}, EBADF, `0, 4 bytes = EBADF (bad descriptor)`},
		{"fd_read", []uint64{0, 1 << 20, 2, 0}, EFAULT, `0, a bad address, 0x100000 = EFAULT (bad address)`},
		{"fd_seek", []uint64{3, 1<<64 - 2, 2, 200}, 0, `3, -2, 2 = 258`},
		{"clock_time_get", []uint64{1, 1000, 200}, 0, `monotonic, 1000 = 258`},
		{"clock_res_get", []uint64{9, 1 << 20}, 0, `9 = 0`},
		{"proc_raise", []uint64{6}, Errno(999), `6 = errno 999`},
	} {
		memory := make([]byte, 4096)
		le.PutUint32(memory, 5)
		copy(memory[300:], strings.Repeat("x", 1000))
		copy(memory[100:], "a\x1b[2Jb\n")
		for n, v := range []uint32{100, 2, 104, 2} {
			le.PutUint32(memory[16+4*n:], v)
		}
		le.PutUint64(memory[200:], 258)
		c := traced{memory: &program{memory: memory}, form: callForms[test.name], stack: slices.Clone(test.stack)}
		c.before()
		c.after(test.errno)
		if got := strings.Join(c.args, ", ") + " = " + c.result; got != test.want {
			t.Errorf("%s\n%s, want\n%s", test.name, got, test.want)
		}
	}
}
