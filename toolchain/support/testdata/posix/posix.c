/* What the support library adds of POSIX, by every function of it. It prints a line
 * for each, and ends with 0 if all of them did what they should. */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int failed;

static void check(const char *function, int line, int ok) {
	printf("%s%s\n", function, ok ? "" : " FAILED");
	if (!ok) fprintf(stderr, "line %d: %s\n", line, function);
	failed |= !ok;
}
#define IS(function, ...) check(#function, __LINE__, (__VA_ARGS__) != 0)

/* A call that fails with an error. */
#define FAILS(call, error) (errno = 0, (call) == -1 && errno == (error))

static const char name[] = "/tmp/file", missing[] = "/tmp/missing";

static void files(void) {
	struct stat st;
	int fd = open(name, O_RDWR | O_CREAT, 0600);
	mkdir("/tmp/dir", 0700);
	symlink("file", "/tmp/link");
	IS(stat, stat(name, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644 && st.st_uid == getuid() && st.st_gid == getgid() && FAILS(stat(missing, &st), ENOENT));
	IS(stat of a directory, stat("/tmp/dir", &st) == 0 && st.st_mode == (S_IFDIR | 0755));
	IS(lstat, lstat("/tmp/link", &st) == 0 && S_ISLNK(st.st_mode));
	IS(fstat, fstat(fd, &st) == 0 && st.st_mode == (S_IFREG | 0644) && FAILS(fstat(99, &st), EBADF));
	IS(fstatat, fstatat(AT_FDCWD, name, &st, 0) == 0 && st.st_mode == (S_IFREG | 0644));
	IS(chmod, chmod(name, 0644) == 0 && chmod(name, 0755) == 0 && chmod("/tmp/dir", 0700) == 0 && FAILS(chmod(name, 0444), EPERM) && FAILS(chmod(missing, 0644), ENOENT));
	IS(fchmod, fchmod(fd, 0600) == 0 && FAILS(fchmod(fd, 0), EPERM) && FAILS(fchmod(99, 0644), EBADF));
	IS(fchmodat, fchmodat(AT_FDCWD, name, 0664, 0) == 0);
	IS(chown, chown(name, getuid(), getgid()) == 0 && FAILS(chown(name, 0, 0), EPERM) && FAILS(chown(missing, -1, -1), ENOENT));
	IS(lchown, lchown("/tmp/link", -1, -1) == 0);
	IS(fchown, fchown(fd, getuid(), -1) == 0 && FAILS(fchown(fd, -1, 5), EPERM));
	IS(fchownat, fchownat(AT_FDCWD, name, -1, getgid(), 0) == 0);
	IS(umask, umask(077) == 022 && umask(022) == 077);
	IS(mkfifo, FAILS(mkfifo("/tmp/fifo", 0600), ENOSYS));
	IS(mknod, FAILS(mknod("/tmp/node", S_IFCHR, 0), ENOSYS));

	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	IS(fcntl F_SETLK, fcntl(fd, F_SETLK, &lock) == 0 && fcntl(fd, F_SETLKW, &lock) == 0 && FAILS(fcntl(99, F_SETLK, &lock), EBADF));
	IS(fcntl F_GETLK, fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
	lock.l_type = 9;
	IS(fcntl of nonsense, FAILS(fcntl(fd, F_SETLK, &lock), EINVAL) && FAILS(fcntl(fd, 99), EINVAL));
	IS(fcntl F_GETFL, (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
	IS(fcntl F_GETFD, fcntl(fd, F_GETFD) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	IS(fcntl F_DUPFD, FAILS(fcntl(fd, F_DUPFD, 10), ENOSYS));
	IS(lockf, lockf(fd, F_LOCK, 0) == 0 && lockf(fd, F_ULOCK, 0) == 0 && FAILS(lockf(fd, 77, 0), EINVAL));
	IS(flock, flock(fd, LOCK_EX | LOCK_NB) == 0 && flock(fd, LOCK_UN) == 0 && FAILS(flock(99, LOCK_SH), EBADF) && FAILS(flock(fd, 0), EINVAL));
	IS(dup, FAILS(dup(fd), ENOSYS) && FAILS(dup(99), EBADF));
	IS(dup2, dup2(fd, fd) == fd && FAILS(dup2(fd, 1), ENOSYS) && FAILS(dup2(99, 99), EBADF));
	IS(fchdir, FAILS(fchdir(fd), ENOSYS) && FAILS(fchdir(99), EBADF));
	sync();
	IS(sync, 1);

	struct timeval tv[2] = {{.tv_sec = 100}, {.tv_sec = 200, .tv_usec = 500}}, bad[2] = {{.tv_usec = -1}};
	IS(futimes, futimes(fd, tv) == 0 && fstat(fd, &st) == 0 && st.st_atime == 100 && st.st_mtime == 200 && st.st_mtim.tv_nsec == 500000 && FAILS(futimes(fd, bad), EINVAL));
	IS(lutimes, lutimes("/tmp/link", tv) == 0 && lstat("/tmp/link", &st) == 0 && st.st_mtime == 200);
	close(fd);
}

static void temporary(void) {
	char a[] = "/tmp/aXXXXXX", b[] = "/tmp/aXXXXXX", c[] = "/tmp/cXXXXXX.txt", d[] = "/tmp/dXXXXXX", e[] = "/tmp/eXXXXXX", f[] = "/tmp/oXXXXXX", wrong[] = "/tmp/XXXXX";
	struct stat st;
	IS(mkstemp, mkstemp(a) >= 0 && mkstemp(b) >= 0 && strcmp(a, b) != 0 && stat(a, &st) == 0 && FAILS(mkstemp(wrong), EINVAL));
	IS(mkostemp, mkostemp(f, O_APPEND) >= 0);
	IS(mkstemps, mkstemps(c, 4) >= 0 && strcmp(c + 12, ".txt") == 0 && FAILS(mkstemps(c, 20), EINVAL));
	IS(mkdtemp, mkdtemp(d) == d && stat(d, &st) == 0 && S_ISDIR(st.st_mode));
	IS(mktemp, mktemp(e) == e && strlen(e) == 12 && FAILS(stat(e, &st), ENOENT));
	flockfile(stdout);
	IS(flockfile, ftrylockfile(stdout) == 0);
	funlockfile(stdout);
	unsigned char random[300] = {0};
	int differ = 0;
	IS(getrandom, getrandom(random, sizeof random, 0) == sizeof random);
	for (int n = 256; n < 300; n++) differ |= random[n] != 0;
	IS(getrandom beyond 256 bytes, differ);
	char *p = reallocarray(NULL, 10, 10);
	IS(reallocarray, p != NULL && reallocarray(p, (size_t)-1, 2) == NULL);
}

static void process(void) {
	struct passwd pw, *found = &pw;
	struct group gr, *group = &gr;
	char buffer[64], *args[] = {"ls", NULL};
	int status, fds[2];
	struct rlimit limit;
	IS(getuid, getuid() == geteuid() && getuid() != 0);
	IS(getgid, getgid() == getegid() && getgroups(0, NULL) == 0);
	IS(setuid, setuid(getuid()) == 0 && seteuid(getuid()) == 0 && FAILS(setuid(0), EPERM) && FAILS(seteuid(0), EPERM));
	IS(setgid, setgid(getgid()) == 0 && setegid(getgid()) == 0 && FAILS(setgid(0), EPERM) && FAILS(setegid(0), EPERM));
	IS(getpwuid, getpwuid(getuid()) == NULL && getpwnam("root") == NULL && getpwent() == NULL);
	IS(getpwuid_r, getpwuid_r(0, &pw, buffer, sizeof buffer, &found) == 0 && found == NULL && getpwnam_r("root", &pw, buffer, sizeof buffer, &found) == 0);
	IS(getgrgid, getgrgid(0) == NULL && getgrnam("root") == NULL && getgrent() == NULL);
	IS(getgrgid_r, getgrgid_r(0, &gr, buffer, sizeof buffer, &group) == 0 && group == NULL && getgrnam_r("root", &gr, buffer, sizeof buffer, &group) == 0);
	setpwent();
	endpwent();
	setgrent();
	endgrent();
	IS(getlogin, getlogin() == NULL && getlogin_r(buffer, sizeof buffer) == ENXIO);
	IS(getpid, getpid() > 1 && getppid() == 1 && getpgrp() == getpid() && getpgid(0) == getpid() && getsid(0) == getpid() && FAILS(getpgid(5), ESRCH));
	IS(setpgid, setpgid(0, 0) == 0 && FAILS(setpgid(0, 5), EPERM) && FAILS(setpgid(5, 0), ESRCH) && FAILS(setsid(), EPERM));
	IS(fork, FAILS(fork(), ENOSYS) && FAILS(vfork(), ENOSYS));
	IS(exec, FAILS(execl("/bin/ls", "ls", NULL), ENOSYS) && FAILS(execlp("ls", "ls", NULL), ENOSYS) && FAILS(execle("/bin/ls", "ls", NULL, environ), ENOSYS) &&
		FAILS(execv("/bin/ls", args), ENOSYS) && FAILS(execve("/bin/ls", args, environ), ENOSYS) && FAILS(execvp("ls", args), ENOSYS));
	IS(pipe, FAILS(pipe(fds), ENOSYS));
	IS(popen, popen("ls", "r") == NULL && errno == ENOSYS && FAILS(pclose(stdin), ECHILD));
	IS(wait, FAILS(wait(&status), ECHILD) && FAILS(waitpid(-1, &status, WNOHANG), ECHILD));
	IS(WEXITSTATUS, WIFEXITED(0x300) && WEXITSTATUS(0x300) == 3 && !WIFSIGNALED(0x300) && WIFSIGNALED(9) && WTERMSIG(9) == 9 && !WIFEXITED(9) && WIFSTOPPED(0x137f) && WSTOPSIG(0x137f) == 19);
	IS(pthread_atfork, pthread_atfork(NULL, NULL, NULL) == 0);
	IS(getrlimit, getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY && getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 && FAILS(getrlimit(99, &limit), EINVAL));
	IS(setrlimit, setrlimit(RLIMIT_CORE, &limit) == 0 && FAILS(setrlimit(RLIMIT_AS, &limit), EPERM));
	IS(getpriority, getpriority(PRIO_PROCESS, 0) == 0 && setpriority(PRIO_PROCESS, 0, 0) == 0 && FAILS(setpriority(PRIO_PROCESS, 0, 5), EPERM) && FAILS(getpriority(PRIO_PROCESS, 5), ESRCH));
	IS(nice, nice(0) == 0 && FAILS(nice(1), EPERM));
	tzset();
	IS(tzset, strcmp(tzname[0], "UTC") == 0 && timezone == 0 && daylight == 0);
}

static volatile int caught, times, inner;
static siginfo_t what;
static sigjmp_buf env;

static void catch(int sig) {
	caught = sig;
	times++;
	if (sig == SIGUSR2 && times == 1) {
		raise(SIGUSR2);
		inner = times; /* it waits */
	}
}
static void inform(int sig, siginfo_t *info, void *context) { (void)context; caught = sig; what = *info; }
static void jump(int sig) { siglongjmp(env, sig); }

static void signals(void) {
	struct sigaction action = {0}, old;
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	IS(sigaddset, sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGUSR2) == 0 && FAILS(sigaddset(&set, 0), EINVAL) && FAILS(sigismember(&set, 99), EINVAL));
	sigfillset(&before);
	sigdelset(&before, SIGHUP);
	IS(sigfillset, sigismember(&before, SIGTERM) == 1 && sigismember(&before, SIGHUP) == 0);
	action.sa_handler = catch;
	IS(sigaction, sigaction(SIGUSR1, &action, &old) == 0 && old.sa_handler == SIG_DFL && sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == catch && FAILS(sigaction(SIGKILL, &action, NULL), EINVAL));
	IS(kill, kill(getpid(), SIGUSR1) == 0 && caught == SIGUSR1 && kill(getpid(), 0) == 0 && FAILS(kill(77, SIGUSR1), ESRCH) && FAILS(kill(0, 99), EINVAL));
	IS(killpg, killpg(getpid(), SIGUSR1) == 0 && times == 2);
	IS(sigprocmask, sigprocmask(SIG_BLOCK, &set, &before) == 0 && before == 0 && raise(SIGUSR1) == 0 && times == 2 && FAILS(sigprocmask(9, &set, NULL), EINVAL));
	IS(sigpending, sigpending(&before) == 0 && sigismember(&before, SIGUSR1) == 1);
	IS(pthread_sigmask, pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0 && times == 3 && sigpending(&before) == 0 && before == 0);
	times = 0;
	sigaction(SIGUSR2, &action, NULL);
	raise(SIGUSR2);
	IS(a signal in its handler, inner == 1 && times == 2);
	action.sa_flags = SA_RESETHAND;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	IS(SA_RESETHAND, sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
	action.sa_flags = SA_SIGINFO;
	action.sa_sigaction = inform;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	IS(SA_SIGINFO, what.si_signo == SIGUSR1 && what.si_code == SI_USER && what.si_pid == getpid() && what.si_uid == getuid());
	IS(siginterrupt, siginterrupt(SIGUSR1, 1) == 0 && siginterrupt(SIGUSR1, 0) == 0);
	signal(SIGUSR1, jump);
	volatile int jumps = 0;
	for (int n = 0; n < 3; n++) {
		if (sigsetjmp(env, 1) == 0) raise(SIGUSR1);
		else jumps++;
	}
	IS(sigsetjmp, jumps == 3);
	IS(ignored by default, raise(SIGCHLD) == 0 && raise(SIGWINCH) == 0);
}

static void terminals(void) {
	struct termios t = {0};
	char buffer[L_ctermid];
	IS(tcgetattr, FAILS(tcgetattr(0, &t), ENOTTY) && FAILS(tcsetattr(0, TCSANOW, &t), ENOTTY) && FAILS(tcgetattr(99, &t), EBADF));
	IS(tcflush, FAILS(tcflush(0, TCIFLUSH), ENOTTY) && FAILS(tcdrain(0), ENOTTY) && FAILS(tcflow(0, TCOOFF), ENOTTY) && FAILS(tcsendbreak(0, 0), ENOTTY));
	IS(tcgetpgrp, FAILS(tcgetpgrp(0), ENOTTY) && FAILS(tcsetpgrp(0, 1), ENOTTY));
	IS(cfsetispeed, cfsetispeed(&t, B9600) == 0 && cfgetispeed(&t) == B9600 && cfsetospeed(&t, B38400) == 0 && cfgetospeed(&t) == B38400);
	IS(ttyname, ttyname(0) == NULL && ttyname_r(0, buffer, sizeof buffer) == ENOTTY);
	IS(ctermid, strcmp(ctermid(buffer), "") == 0 && strcmp(ctermid(NULL), "") == 0);
}

static void messages(void) {
	char said[400] = {0};
	fflush(stderr);
	freopen("/tmp/said", "w", stderr);
	errno = ENOENT;
	warn("%s", "a");
	warnx("%d", 7);
	openlog("log", 0, LOG_USER);
	errno = ENOENT;
	syslog(LOG_ERR, "%s %m", "b");
	IS(setlogmask, setlogmask(LOG_UPTO(LOG_ERR)) == LOG_UPTO(LOG_DEBUG));
	syslog(LOG_DEBUG, "not this");
	closelog();
	fclose(stderr);
	FILE *f = fopen("/tmp/said", "r");
	fread(said, 1, sizeof said - 1, f);
	IS(warn syslog, strstr(said, ": a: No such file or directory\n") != NULL && strstr(said, ": 7\nlog: b No such file or directory\n") != NULL && strstr(said, "not") == NULL);
}

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "err") == 0) errx(4, "ended by %s", "errx");
	if (argc > 1 && strcmp(argv[1], "kill") == 0) kill(getpid(), SIGTERM);
	files();
	temporary();
	process();
	signals();
	terminals();
	messages();
	return failed;
}
