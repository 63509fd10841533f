/* Terminals: no descriptor is one. */

#include <errno.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

/* What a call about a terminal ends with: EBADF or ENOTTY, as isatty has it. */
static int none(int fd) {
	isatty(fd);
	return -1;
}

speed_t cfgetispeed(const struct termios *t) { return t->__c_ispeed; }
speed_t cfgetospeed(const struct termios *t) { return t->__c_ospeed; }
int cfsetispeed(struct termios *t, speed_t speed) { t->__c_ispeed = speed; return 0; }
int cfsetospeed(struct termios *t, speed_t speed) { t->__c_ospeed = speed; return 0; }

int tcgetattr(int fd, struct termios *t) { return none(fd); }
int tcsetattr(int fd, int when, const struct termios *t) { return none(fd); }
int tcdrain(int fd) { return none(fd); }
int tcflow(int fd, int action) { return none(fd); }
int tcflush(int fd, int queue) { return none(fd); }
int tcsendbreak(int fd, int duration) { return none(fd); }
pid_t tcgetpgrp(int fd) { return none(fd); }
int tcsetpgrp(int fd, pid_t group) { return none(fd); }

char *ttyname(int fd) {
	isatty(fd);
	return NULL;
}
int ttyname_r(int fd, char *name, size_t size) {
	isatty(fd);
	return errno;
}
/* The empty name is what POSIX has for none. */
char *ctermid(char *name) {
	static char none[1];
	if (name == NULL) return none;
	*name = 0;
	return name;
}
