/* What the system's sys/time.h leaves out: see files.c. */
#include_next <sys/time.h>
#ifndef __CARREL_SYS_TIME_H
#define __CARREL_SYS_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

int futimes(int, const struct timeval [2]);
int lutimes(const char *, const struct timeval [2]);

#ifdef __cplusplus
}
#endif

#endif
