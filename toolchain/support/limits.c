/* Limits are the machine's affair: the program sees none, and can set none. */

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static int fail(int error) {
	errno = error;
	return -1;
}

int getrlimit(int resource, struct rlimit *limit) {
	if (resource < 0 || resource >= RLIM_NLIMITS) return fail(EINVAL);
	limit->rlim_cur = limit->rlim_max = resource == RLIMIT_CORE ? 0 : RLIM_INFINITY;
	return 0;
}
int setrlimit(int resource, const struct rlimit *limit) {
	struct rlimit now;
	if (getrlimit(resource, &now) != 0) return -1;
	return limit->rlim_cur == now.rlim_cur && limit->rlim_max == now.rlim_max ? 0 : fail(EPERM);
}
int getpriority(int which, unsigned who) {
	if (which < PRIO_PROCESS || which > PRIO_USER) return fail(EINVAL);
	return who == 0 || (which == PRIO_USER ? who == getuid() : who == (unsigned)getpid()) ? 0 : fail(ESRCH);
}
int setpriority(int which, unsigned who, int priority) {
	if (getpriority(which, who) != 0) return -1;
	return priority == 0 ? 0 : fail(EPERM);
}
int nice(int increment) { return increment == 0 ? 0 : fail(EPERM); }
