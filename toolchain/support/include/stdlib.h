/* What the system's stdlib.h leaves out: temporary files and directories (see
 * stdlib.c), and two functions that it has and does not declare. */
#include_next <stdlib.h>
#ifndef __CARREL_STDLIB_H
#define __CARREL_STDLIB_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_POSIX_SOURCE) || defined(_POSIX_C_SOURCE) || defined(_XOPEN_SOURCE) || defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
int mkstemp(char *);
char *mkdtemp(char *);
#endif

#if defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
int mkostemp(char *, int);
int mkstemps(char *, int);
char *mktemp(char *);
void *reallocarray(void *, size_t, size_t);
void qsort_r(void *, size_t, size_t, int (*)(const void *, const void *, void *), void *);
#endif

#ifdef __cplusplus
}
#endif

#endif
