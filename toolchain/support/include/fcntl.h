/* What the system's fcntl.h leaves out: locks, and copies of descriptors. See
 * files.c. */
#include_next <fcntl.h>
#ifndef __CARREL_FCNTL_H
#define __CARREL_FCNTL_H

#define F_DUPFD 0
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_DUPFD_CLOEXEC 1030

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#ifdef __cplusplus
extern "C" {
#endif

int fcntl(int, int, ...) __asm__("__carrel_fcntl");

#ifdef __cplusplus
}
#endif

#endif
