// What every kernel has: one exported function, no libc, no imports.
//
// run(n) does n rounds of fixed work and answers a checksum of all of it.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

#ifdef __wasm__
#define EXPORT __attribute__((export_name("run")))
#else
#define EXPORT
#endif

EXPORT i64 run(i64 n);

// A small generator (xorshift64*), so that inputs need no files.
static inline u64 next_random(u64 *state) {
	u64 x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

static inline u64 mix(u64 sum, u64 value) {
	return (sum ^ value) * 0x9e3779b97f4a7c15ull + (sum >> 29);
}

static inline u64 bits(double value) {
	union { double d; u64 u; } x = {value};
	return x.u;
}
