/* What the system's stdio.h leaves out: names of temporary files, gets, popen. See
 * stdlib.c and process.c. */
#include_next <stdio.h>
#ifndef __CARREL_STDIO_H
#define __CARREL_STDIO_H

#ifdef __cplusplus
extern "C" {
#endif

#define TMP_MAX 10000
#define L_tmpnam 20

/* The system declares these as deprecated. */
char *__carrel_tmpnam(char *);
FILE *__carrel_tmpfile(void);
#define tmpnam __carrel_tmpnam
#define tmpfile __carrel_tmpfile
#if !defined(__cplusplus) && __STDC_VERSION__ < 201112L
char *__carrel_gets(char *);
#define gets __carrel_gets
#endif

#if defined(_POSIX_SOURCE) || defined(_POSIX_C_SOURCE) || defined(_XOPEN_SOURCE) || defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
FILE *popen(const char *, const char *);
int pclose(FILE *);
void flockfile(FILE *);
int ftrylockfile(FILE *);
void funlockfile(FILE *);
#endif

#ifdef __cplusplus
}
#endif

#endif
