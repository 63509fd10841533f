/* The functions of C99 that wasi-libc has not, system, tmpnam, tmpfile and gets, and
 * those of POSIX that are like them. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* There is no shell, and nothing that could be started. */
int system(const char *command) {
	if (command == NULL) return 0;
	errno = ENOSYS;
	return -1;
}

/* Names in /tmp, in order: one that is not there yet. NULL after TMP_MAX. */
char *__carrel_tmpnam(char *buffer) {
	static char own[L_tmpnam];
	static int next;
	struct stat there;
	if (buffer == NULL) buffer = own;
	while (next < TMP_MAX) {
		snprintf(buffer, L_tmpnam, "/tmp/c99.%d", next++);
		if (stat(buffer, &there) != 0 && errno == ENOENT) return buffer;
	}
	return NULL;
}

/* A file that has no name any more. */
FILE *__carrel_tmpfile(void) {
	char name[L_tmpnam];
	int fd;
	FILE *file;
	do {
		if (__carrel_tmpnam(name) == NULL) return NULL;
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0) return NULL;
	unlink(name);
	file = fdopen(fd, "w+b");
	if (file == NULL) close(fd);
	return file;
}

/* As of C99: with no limit to what it writes. */
char *__carrel_gets(char *line) {
	char *to = line;
	int c;
	while ((c = getchar()) != EOF && c != '\n') *to++ = (char)c;
	if (c == EOF && (to == line || ferror(stdin))) return NULL;
	*to = 0;
	return line;
}

/* Fill in the six X before the suffix of a name, in order, until make succeeds with
 * it or fails for another reason than that it is there already. */
static int fill(char *name, int suffix, int flags, int make(const char *, int)) {
	static unsigned next;
	char *at = name + strlen(name) - suffix - 6;
	if (suffix < 0 || at < name || memcmp(at, "XXXXXX", 6) != 0) {
		errno = EINVAL;
		return -1;
	}
	for (int tries = 0; tries < TMP_MAX; tries++) {
		unsigned n = next++;
		for (int digit = 5; digit >= 0; digit--, n /= 36) at[digit] = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
		int made = make(name, flags);
		if (made >= 0 || errno != EEXIST) return made;
	}
	memcpy(at, "XXXXXX", 6);
	errno = EEXIST;
	return -1;
}

static int make_file(const char *name, int flags) { return open(name, flags | O_RDWR | O_CREAT | O_EXCL, 0600); }
static int make_directory(const char *name, int flags) { return mkdir(name, (mode_t)flags); }
static int make_nothing(const char *name, int flags) {
	struct stat there;
	if (lstat(name, &there) != 0) return errno == ENOENT ? flags : -1;
	errno = EEXIST;
	return -1;
}

int mkstemp(char *name) { return fill(name, 0, 0, make_file); }
int mkostemp(char *name, int flags) { return fill(name, 0, flags & ~O_ACCMODE, make_file); }
int mkstemps(char *name, int suffix) { return fill(name, suffix, 0, make_file); }
char *mkdtemp(char *name) { return fill(name, 0, 0700, make_directory) == 0 ? name : NULL; }
char *mktemp(char *name) {
	if (fill(name, 0, 0, make_nothing) != 0) *name = 0;
	return name;
}

/* There are no threads to keep out. */
void flockfile(FILE *file) {}
int ftrylockfile(FILE *file) { return 0; }
void funlockfile(FILE *file) {}

/* For objects that were compiled without our stdio.h. */
#undef tmpnam
#undef tmpfile
#undef gets
char *tmpnam(char *buffer) { return __carrel_tmpnam(buffer); }
FILE *tmpfile(void) { return __carrel_tmpfile(); }
char *gets(char *line) { return __carrel_gets(line); }
