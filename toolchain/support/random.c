/* Random numbers are the run's own, and all of them are there at once. */

#include <sys/random.h>

/* getentropy gives 256 bytes at most. */
ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
	for (size_t n = 0; n < size; n += 256) {
		if (getentropy((char *)buffer + n, size - n < 256 ? size - n : 256) != 0) return -1;
	}
	return (ssize_t)size;
}
