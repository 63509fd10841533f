/* Files with owners and permissions, which the system's sys/stat.h has not: see
 * files.c. */
#include_next <sys/stat.h>
#ifndef __CARREL_SYS_STAT_H
#define __CARREL_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

int stat(const char *__restrict, struct stat *__restrict) __asm__("__carrel_stat");
int fstat(int, struct stat *) __asm__("__carrel_fstat");
int lstat(const char *__restrict, struct stat *__restrict) __asm__("__carrel_lstat");
int fstatat(int, const char *__restrict, struct stat *__restrict, int) __asm__("__carrel_fstatat");
int chmod(const char *, mode_t) __asm__("__carrel_chmod");
int fchmod(int, mode_t) __asm__("__carrel_fchmod");
int fchmodat(int, const char *, mode_t, int) __asm__("__carrel_fchmodat");
mode_t umask(mode_t);
int mkfifo(const char *, mode_t);
int mknod(const char *, mode_t, dev_t);

#ifdef __cplusplus
}
#endif

#endif
