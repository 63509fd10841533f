package posix

import "fmt"

// An Errno is an error number of WASI preview 1: what a program sees.
type Errno uint16

const (
	EBADF        Errno = 8
	EBUSY        Errno = 10
	EEXIST       Errno = 20
	EFAULT       Errno = 21
	EFBIG        Errno = 22
	EILSEQ       Errno = 25
	EINVAL       Errno = 28
	EISDIR       Errno = 31
	ELOOP        Errno = 32
	EMFILE       Errno = 33
	EMLINK       Errno = 34
	ENAMETOOLONG Errno = 37
	ENOENT       Errno = 44
	ENOMEM       Errno = 48
	ENOSPC       Errno = 51
	ENOTDIR      Errno = 54
	ENOTEMPTY    Errno = 55
	ENOTSOCK     Errno = 57
	ENOTSUP      Errno = 58
	EOVERFLOW    Errno = 61
	EPERM        Errno = 63
	EROFS        Errno = 69
	ESPIPE       Errno = 70
	EXDEV        Errno = 75
	ENOTCAPABLE  Errno = 76
)

var errnoTexts = map[Errno]string{
	EBADF: "bad descriptor", EBUSY: "in use", EEXIST: "exists", EFAULT: "bad address",
	EFBIG: "file too large", EILSEQ: "not UTF-8", EINVAL: "invalid argument", EISDIR: "is a directory",
	ELOOP: "too many symbolic links", EMFILE: "too many open files", EMLINK: "too many links",
	ENAMETOOLONG: "name too long", ENOENT: "no such file or directory", ENOMEM: "out of memory",
	ENOSPC: "no space left", ENOTDIR: "not a directory", ENOTEMPTY: "directory not empty",
	ENOTSOCK: "not a socket", ENOTSUP: "not supported", EOVERFLOW: "value too large",
	EPERM: "not permitted", EROFS: "read-only", ESPIPE: "cannot seek", EXDEV: "another mount",
	ENOTCAPABLE: "descriptor lacks the right",
}

func (e Errno) Error() string {
	if text, ok := errnoTexts[e]; ok {
		return text
	}
	return fmt.Sprintf("errno %d", uint16(e))
}
