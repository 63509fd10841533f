/* What the system's stdio.h leaves out: names of temporary files. See stdlib.c. */
#include_next <stdio.h>
#ifndef __CARREL_STDIO_H
#define __CARREL_STDIO_H

#ifdef __cplusplus
extern "C" {
#endif

#define TMP_MAX 10000
#define L_tmpnam 20

/* The system declares both as deprecated. */
char *__carrel_tmpnam(char *);
FILE *__carrel_tmpfile(void);
#define tmpnam __carrel_tmpnam
#define tmpfile __carrel_tmpfile

#ifdef __cplusplus
}
#endif

#endif
