void *memset(void *, int, __SIZE_TYPE__);
void *memcpy(void *restrict, const void *restrict, __SIZE_TYPE__);
int strcmp(const char *, const char *);
