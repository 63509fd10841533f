/* The functions of C99 that wasi-libc has not: system, tmpnam, tmpfile. (gets it
 * has not either: nobody can call it safely.) */

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

/* For objects that were compiled without our stdio.h. */
#undef tmpnam
#undef tmpfile
char *tmpnam(char *buffer) { return __carrel_tmpnam(buffer); }
FILE *tmpfile(void) { return __carrel_tmpfile(); }
