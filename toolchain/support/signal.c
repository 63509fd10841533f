/* Signals. They come from nowhere but raise, kill and abort, so a signal is its
 * handler, called then and there, or when it is no longer blocked. A trap is no
 * signal: it ends the program. signal and raise take the place of wasi-libc's
 * emulation, which has no masks and no sigaction.
 *
 * The default is, as there, a line on standard error and an end by a trap. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct sigaction actions[_NSIG];
static sigset_t blocked, pending;

/* What abort does first, if anybody has asked for signals. */
extern void (*__carrel_abort)(void);

static int fail(int error) {
	errno = error;
	return -1;
}

static int valid(int sig) { return sig > 0 && sig < _NSIG; }
static sigset_t bit(int sig) { return 1ULL << (sig - 1); }

static void by_default(int sig) {
	switch (sig) {
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
		return;
	}
	fprintf(stderr, "Program received signal: %s\n", strsignal(sig));
	__builtin_trap();
}

static void deliver(int sig) {
	struct sigaction action = actions[sig];
	if (action.sa_handler == SIG_IGN) return;
	if (action.sa_handler == SIG_DFL) {
		by_default(sig);
		return;
	}
	sigset_t before = blocked;
	blocked |= action.sa_mask;
	if (!(action.sa_flags & SA_NODEFER)) blocked |= bit(sig);
	if (action.sa_flags & SA_RESETHAND) actions[sig].sa_handler = SIG_DFL;
	if (action.sa_flags & SA_SIGINFO) {
		siginfo_t info = {.si_signo = sig, .si_code = SI_USER, .si_pid = getpid(), .si_uid = getuid()};
		action.sa_sigaction(sig, &info, NULL);
	} else {
		action.sa_handler(sig);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int raise(int sig) {
	if (!valid(sig)) return fail(EINVAL);
	if (blocked & bit(sig)) pending |= bit(sig);
	else deliver(sig);
	return 0;
}

static void aborting(void) {
	blocked &= ~bit(SIGABRT);
	raise(SIGABRT);
}

int sigaction(int sig, const struct sigaction *restrict action, struct sigaction *restrict old) {
	if (!valid(sig) || (action != NULL && (sig == SIGKILL || sig == SIGSTOP))) return fail(EINVAL);
	if (old != NULL) *old = actions[sig];
	if (action == NULL) return 0;
	actions[sig] = *action;
	actions[sig].sa_mask &= ~(bit(SIGKILL) | bit(SIGSTOP));
	if (sig == SIGABRT) __carrel_abort = aborting;
	return 0;
}

void (*signal(int sig, void (*handler)(int)))(int) {
	struct sigaction action = {.sa_flags = SA_RESTART}, old;
	action.sa_handler = handler;
	return sigaction(sig, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

int siginterrupt(int sig, int interrupts) {
	if (!valid(sig)) return fail(EINVAL);
	if (interrupts) actions[sig].sa_flags &= ~SA_RESTART;
	else actions[sig].sa_flags |= SA_RESTART;
	return 0;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old) {
	sigset_t before = blocked;
	if (set != NULL) {
		switch (how) {
		case SIG_BLOCK: blocked |= *set; break;
		case SIG_UNBLOCK: blocked &= ~*set; break;
		case SIG_SETMASK: blocked = *set; break;
		default: return EINVAL;
		}
		blocked &= ~(bit(SIGKILL) | bit(SIGSTOP));
	}
	if (old != NULL) *old = before;
	for (int sig = 1; sig < _NSIG; sig++) {
		if (!(pending & ~blocked & bit(sig))) continue;
		pending &= ~bit(sig);
		deliver(sig);
	}
	return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old) {
	int error = pthread_sigmask(how, set, old);
	return error == 0 ? 0 : fail(error);
}

int sigpending(sigset_t *set) {
	*set = pending;
	return 0;
}

int sigemptyset(sigset_t *set) { *set = 0; return 0; }
int sigfillset(sigset_t *set) { *set = ~0ULL; return 0; }
int sigaddset(sigset_t *set, int sig) {
	if (!valid(sig)) return fail(EINVAL);
	*set |= bit(sig);
	return 0;
}
int sigdelset(sigset_t *set, int sig) {
	if (!valid(sig)) return fail(EINVAL);
	*set &= ~bit(sig);
	return 0;
}
int sigismember(const sigset_t *set, int sig) {
	if (!valid(sig)) return fail(EINVAL);
	return (*set & bit(sig)) != 0;
}

/* There is no other process. */
int kill(pid_t pid, int sig) {
	if (sig < 0 || sig >= _NSIG) return fail(EINVAL);
	if (pid != 0 && pid != -1 && pid != getpid() && pid != -getpid()) return fail(ESRCH);
	return sig == 0 ? 0 : raise(sig);
}
int killpg(pid_t group, int sig) { return group < 0 ? fail(EINVAL) : kill(-group, sig); }
