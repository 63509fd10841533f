/* err.h, which the system declares and does not have, and syslog.h: lines on
 * standard error. */

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <wasi/api.h>

/* The last part of the first argument, cut to 255 bytes. */
static const char *program(void) {
	static char name[256];
	size_t count, size;
	if (name[0] != 0 || __wasi_args_sizes_get(&count, &size) != 0 || count == 0) return name;
	uint8_t *bytes = malloc(size), **args = malloc(count * sizeof *args);
	if (bytes != NULL && args != NULL && __wasi_args_get(args, bytes) == 0) {
		const char *first = (const char *)args[0], *slash = strrchr(first, '/');
		snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : first);
	}
	free(args);
	free(bytes);
	return name;
}

void vwarnx(const char *format, va_list args) {
	fprintf(stderr, "%s: ", program());
	if (format != NULL) vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void vwarn(const char *format, va_list args) {
	int error = errno;
	fprintf(stderr, "%s: ", program());
	if (format != NULL) {
		vfprintf(stderr, format, args);
		fputs(": ", stderr);
	}
	fprintf(stderr, "%s\n", strerror(error));
}

_Noreturn void verr(int code, const char *format, va_list args) {
	vwarn(format, args);
	exit(code);
}

_Noreturn void verrx(int code, const char *format, va_list args) {
	vwarnx(format, args);
	exit(code);
}

#define ARGUMENTS(call) va_list args; va_start(args, format); call; va_end(args)
void warn(const char *format, ...) { ARGUMENTS(vwarn(format, args)); }
void warnx(const char *format, ...) { ARGUMENTS(vwarnx(format, args)); }
_Noreturn void err(int code, const char *format, ...) { ARGUMENTS(verr(code, format, args)); }
_Noreturn void errx(int code, const char *format, ...) { ARGUMENTS(verrx(code, format, args)); }
void syslog(int priority, const char *format, ...) { ARGUMENTS(vsyslog(priority, format, args)); }

static const char *identity;
static int options, mask = LOG_UPTO(LOG_DEBUG);

void openlog(const char *ident, int option, int facility) {
	identity = ident;
	options = option;
}

void closelog(void) {
	identity = NULL;
	options = 0;
}

int setlogmask(int to) {
	int before = mask;
	if (to != 0) mask = to;
	return before;
}

/* %m in a format is wasi-libc's printf's affair, as errno is as it was. */
void vsyslog(int priority, const char *format, va_list args) {
	int error = errno;
	if (!(mask & LOG_MASK(LOG_PRI(priority)))) return;
	fputs(identity != NULL ? identity : program(), stderr);
	if (options & LOG_PID) fprintf(stderr, "[%d]", (int)getpid());
	fputs(": ", stderr);
	errno = error;
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}
