/* The time zone: UTC, whatever TZ says, as in wasi-libc's localtime. */

#include <time.h>

char *tzname[2] = {"UTC", "UTC"};
int daylight;
long timezone;

void tzset(void) {}
