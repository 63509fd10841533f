// The smallest WASI program that says something: for what a start costs.
typedef struct {
	const char *bytes;
	unsigned length;
} text;

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write")))
int fd_write(int fd, const text *texts, unsigned count, unsigned *written);

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit")))
_Noreturn void proc_exit(int code);

__attribute__((export_name("_start"))) void start(void) {
	static const text hello = {"hello, world\n", 13};
	unsigned written;
	proc_exit(fd_write(1, &hello, 1, &written));
}
