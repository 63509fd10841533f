/* The one process that there is, and its one user, as POSIX asks for them.
 *
 * Nothing can be started: what would is ENOSYS. There are no names of users. */

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum { user = 1000, parent = 1 };

static int fail(int error) {
	errno = error;
	return -1;
}

uid_t getuid(void) { return user; }
uid_t geteuid(void) { return user; }
gid_t getgid(void) { return user; }
gid_t getegid(void) { return user; }
int setuid(uid_t id) { return id == user ? 0 : fail(EPERM); }
int seteuid(uid_t id) { return id == user ? 0 : fail(EPERM); }
int setgid(gid_t id) { return id == user ? 0 : fail(EPERM); }
int setegid(gid_t id) { return id == user ? 0 : fail(EPERM); }
int getgroups(int size, gid_t list[]) { return 0; }

struct passwd *getpwnam(const char *name) { return NULL; }
struct passwd *getpwuid(uid_t uid) { return NULL; }
struct passwd *getpwent(void) { return NULL; }
void setpwent(void) {}
void endpwent(void) {}
int getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t size, struct passwd **result) {
	*result = NULL;
	return 0;
}
int getpwuid_r(uid_t uid, struct passwd *pw, char *buffer, size_t size, struct passwd **result) {
	*result = NULL;
	return 0;
}

struct group *getgrnam(const char *name) { return NULL; }
struct group *getgrgid(gid_t gid) { return NULL; }
struct group *getgrent(void) { return NULL; }
void setgrent(void) {}
void endgrent(void) {}
int getgrnam_r(const char *name, struct group *gr, char *buffer, size_t size, struct group **result) {
	*result = NULL;
	return 0;
}
int getgrgid_r(gid_t gid, struct group *gr, char *buffer, size_t size, struct group **result) {
	*result = NULL;
	return 0;
}

char *getlogin(void) { errno = ENXIO; return NULL; }
int getlogin_r(char *name, size_t size) { return ENXIO; }

pid_t getppid(void) { return parent; }
pid_t getpgrp(void) { return getpid(); }
pid_t getpgid(pid_t pid) { return pid == 0 || pid == getpid() ? getpid() : fail(ESRCH); }
pid_t getsid(pid_t pid) { return getpgid(pid); }
pid_t setsid(void) { return fail(EPERM); } /* it leads one already */
int setpgid(pid_t pid, pid_t group) {
	if (pid != 0 && pid != getpid()) return fail(ESRCH);
	return group == 0 || group == getpid() ? 0 : fail(EPERM);
}

pid_t fork(void) { return fail(ENOSYS); }
pid_t vfork(void) { return fail(ENOSYS); }
int execl(const char *path, const char *arg, ...) { return fail(ENOSYS); }
int execle(const char *path, const char *arg, ...) { return fail(ENOSYS); }
int execlp(const char *file, const char *arg, ...) { return fail(ENOSYS); }
int execv(const char *path, char *const args[]) { return fail(ENOSYS); }
int execve(const char *path, char *const args[], char *const env[]) { return fail(ENOSYS); }
int execvp(const char *file, char *const args[]) { return fail(ENOSYS); }
int pipe(int fds[2]) { return fail(ENOSYS); }
FILE *popen(const char *command, const char *mode) { errno = ENOSYS; return NULL; }
int pclose(FILE *file) { return fail(ECHILD); }

/* Nothing is forked, so they are never called. */
int pthread_atfork(void (*prepare)(void), void (*in_parent)(void), void (*in_child)(void)) {
	return 0;
}
