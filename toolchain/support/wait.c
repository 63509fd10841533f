/* There are no children to wait for. */

#include <errno.h>
#include <sys/wait.h>

static int none(void) {
	errno = ECHILD;
	return -1;
}

pid_t wait(int *status) { return none(); }
pid_t waitpid(pid_t pid, int *status, int options) { return none(); }
