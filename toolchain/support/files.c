/* What POSIX says of files and WASI does not know: owners, permissions, locks,
 * copies of descriptors.
 *
 * There is one user, and nobody to keep out. A file can be read and written, a
 * directory searched too, and stat says so: 0644 and 0755. That cannot be changed:
 * chmod succeeds if it asks for what is so for the owner, and is EPERM if it asks to
 * take reading or writing away. Nothing can be executed, so that bit is not looked
 * at. Owners are alike: to give a file to the one user succeeds.
 *
 * There is one process, so no other can hold a lock of POSIX: it is granted. flock
 * is a lock of the process too, as it is over NFS.
 *
 * A descriptor cannot be copied in WASI. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* The system's. */
int __system_fstat(int, struct stat *) __asm__("fstat");
int __system_fstatat(int, const char *, struct stat *, int) __asm__("fstatat");
int __system_fcntl(int, int, ...) __asm__("fcntl");

static int fail(int error) {
	errno = error;
	return -1;
}

/* What stat says beside what the system knows. */
static int own(int result, struct stat *st) {
	if (result != 0) return result;
	st->st_uid = getuid();
	st->st_gid = getgid();
	if (S_ISDIR(st->st_mode)) st->st_mode |= 0755;
	else if (S_ISLNK(st->st_mode)) st->st_mode |= 0777;
	else st->st_mode |= 0644;
	return 0;
}

int stat(const char *restrict path, struct stat *restrict st) { return fstatat(AT_FDCWD, path, st, 0); }
int lstat(const char *restrict path, struct stat *restrict st) { return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW); }
int fstat(int fd, struct stat *st) { return own(__system_fstat(fd, st), st); }
int fstatat(int fd, const char *restrict path, struct stat *restrict st, int flags) {
	return own(__system_fstatat(fd, path, st, flags), st);
}

/* The outcome of chmod to mode, of what st is of if there was no error. */
static int mode_of(int error, const struct stat *st, mode_t mode) {
	mode_t owner = S_ISDIR(st->st_mode) ? S_IRWXU : S_IRUSR | S_IWUSR;
	if (error != 0) return error;
	return (mode & owner) == owner ? 0 : fail(EPERM);
}

int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }
int fchmod(int fd, mode_t mode) {
	struct stat st = {0};
	return mode_of(fstat(fd, &st), &st, mode);
}
int fchmodat(int fd, const char *path, mode_t mode, int flags) {
	struct stat st = {0};
	return mode_of(fstatat(fd, path, &st, flags), &st, mode);
}

static int owner_of(int error, uid_t uid, gid_t gid) {
	if (error != 0) return error;
	return (uid == (uid_t)-1 || uid == getuid()) && (gid == (gid_t)-1 || gid == getgid()) ? 0 : fail(EPERM);
}

int chown(const char *path, uid_t uid, gid_t gid) { return fchownat(AT_FDCWD, path, uid, gid, 0); }
int lchown(const char *path, uid_t uid, gid_t gid) { return fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW); }
int fchown(int fd, uid_t uid, gid_t gid) {
	struct stat st;
	return owner_of(fstat(fd, &st), uid, gid);
}
int fchownat(int fd, const char *path, uid_t uid, gid_t gid, int flags) {
	struct stat st;
	return owner_of(fstatat(fd, path, &st, flags), uid, gid);
}

mode_t umask(mode_t mask) {
	static mode_t now = 022;
	mode_t before = now;
	now = mask & 0777;
	return before;
}

int mkfifo(const char *path, mode_t mode) { return fail(ENOSYS); }
int mknod(const char *path, mode_t mode, dev_t dev) { return fail(ENOSYS); }

/* A lock asked for with F_GETLK or F_SETLK: nobody holds another. */
static int lock(int fd, int command, struct flock *lock) {
	struct stat st;
	if (fstat(fd, &st) != 0) return -1;
	if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && lock->l_type != F_UNLCK) return fail(EINVAL);
	if (lock->l_whence != SEEK_SET && lock->l_whence != SEEK_CUR && lock->l_whence != SEEK_END) return fail(EINVAL);
	if (command == F_GETLK) lock->l_type = F_UNLCK;
	return 0;
}

int fcntl(int fd, int command, ...) {
	va_list args;
	va_start(args, command);
	int result;
	switch (command) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW: result = lock(fd, command, va_arg(args, struct flock *)); break;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC: result = dup(fd); break;
	case F_SETFD:
	case F_SETFL: result = __system_fcntl(fd, command, va_arg(args, int)); break;
	default: result = __system_fcntl(fd, command); break;
	}
	va_end(args);
	return result;
}

int lockf(int fd, int command, off_t size) {
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = size};
	if (command != F_ULOCK && command != F_LOCK && command != F_TLOCK && command != F_TEST) return fail(EINVAL);
	return lock(fd, F_SETLK, &l);
}

int flock(int fd, int operation) {
	struct stat st;
	operation &= ~LOCK_NB;
	if (operation != LOCK_SH && operation != LOCK_EX && operation != LOCK_UN) return fail(EINVAL);
	return fstat(fd, &st);
}

int dup(int fd) {
	struct stat st;
	return fstat(fd, &st) != 0 ? -1 : fail(ENOSYS);
}

int dup2(int fd, int to) {
	struct stat st;
	if (fstat(fd, &st) != 0) return -1;
	return fd == to ? to : fail(ENOSYS);
}

int fchdir(int fd) {
	struct stat st;
	return fstat(fd, &st) != 0 ? -1 : fail(ENOSYS);
}

/* What is written is in the file as soon as it is written. */
void sync(void) {}

static int set_times(int fd, const char *path, const struct timeval tv[2], int flags) {
	struct timespec ts[2];
	if (tv == NULL) return fd == AT_FDCWD ? utimensat(fd, path, NULL, flags) : futimens(fd, NULL);
	for (int n = 0; n < 2; n++) {
		if (tv[n].tv_usec < 0 || tv[n].tv_usec >= 1000000) return fail(EINVAL);
		ts[n] = (struct timespec){.tv_sec = tv[n].tv_sec, .tv_nsec = tv[n].tv_usec * 1000L};
	}
	return fd == AT_FDCWD ? utimensat(fd, path, ts, flags) : futimens(fd, ts);
}

int futimes(int fd, const struct timeval tv[2]) { return set_times(fd, NULL, tv, 0); }
int lutimes(const char *path, const struct timeval tv[2]) { return set_times(AT_FDCWD, path, tv, AT_SYMLINK_NOFOLLOW); }
