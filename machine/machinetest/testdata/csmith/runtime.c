// What a csmith program needs where there is no C library: it prints one line,
// "checksum = %X", and the number in it is what the export f0 returns.

#include <stdarg.h>

int program(void);

static unsigned checksum;

int printf(const char *format, ...) {
	va_list values;
	va_start(values, format);
	checksum = va_arg(values, unsigned);
	va_end(values);
	return 0;
}

void *memset(void *to, int byte, unsigned long n) {
	char *p = to;
	while (n--)
		*p++ = byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, unsigned long n) {
	char *p = to;
	const char *q = from;
	while (n--)
		*p++ = *q++;
	return to;
}

__attribute__((export_name("f0"))) unsigned f0(void) {
	program();
	return checksum;
}
