// A hash table of strings: open addressing, FNV-1a, insert, find, delete.
#include "kernel.h"

enum { SLOTS = 1 << 14, KEYS = 9000, KEY_BYTES = 24 };

static struct slot {
	u32 hash, key; // key 0 is empty, 1 is deleted
	u32 value;
} table[SLOTS];

static char keys[KEYS][KEY_BYTES];

static u32 hash(const char *s) {
	u32 h = 2166136261u;
	for (; *s; s++)
		h = (h ^ (u8)*s) * 16777619u;
	return h;
}

static int same(const char *a, const char *b) {
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static struct slot *find(u32 key, u32 h) {
	struct slot *free = 0;
	for (u32 i = h;; i++) {
		struct slot *s = &table[i % SLOTS];
		if (s->key == 0)
			return free ? free : s;
		if (s->key == 1) {
			if (!free)
				free = s;
		} else if (s->hash == h && same(keys[s->key - 2], keys[key])) {
			return s;
		}
	}
}

i64 run(i64 n) {
	u64 sum = 0, seed = 5;
	for (u32 i = 0; i < KEYS; i++) {
		u32 length = 6 + (u32)(next_random(&seed) % (KEY_BYTES - 7));
		for (u32 j = 0; j < length; j++)
			keys[i][j] = (char)('a' + next_random(&seed) % 26);
		keys[i][length] = 0;
	}
	for (i64 round = 0; round < n; round++) {
		for (u32 i = 0; i < SLOTS; i++)
			table[i].key = 0;
		for (u32 i = 0; i < 3 * KEYS; i++) {
			u32 key = (u32)(next_random(&seed) >> 33) % KEYS, h = hash(keys[key]);
			struct slot *s = find(key, h);
			if (s->key < 2)
				*s = (struct slot){h, key + 2, i};
			else if (i % 5 == 0)
				s->key = 1;
			else
				sum = mix(sum, s->value++);
		}
	}
	return (i64)sum;
}
