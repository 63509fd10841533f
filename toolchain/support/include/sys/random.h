/* What the system's sys/random.h leaves out: see random.c. */
#include_next <sys/random.h>
#ifndef __CARREL_SYS_RANDOM_H
#define __CARREL_SYS_RANDOM_H

#define __NEED_ssize_t
#include <bits/alltypes.h>

#define GRND_NONBLOCK 1
#define GRND_RANDOM 2

#ifdef __cplusplus
extern "C" {
#endif

ssize_t getrandom(void *, size_t, unsigned);

#ifdef __cplusplus
}
#endif

#endif
