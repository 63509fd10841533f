// Quicksort with a comparison by function pointer, as libc's has.
#include "kernel.h"

enum { ITEMS = 20000 };

static u32 items[ITEMS];

typedef int compare(const void *, const void *);

static int ascending(const void *a, const void *b) {
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	return (x > y) - (x < y);
}

static int by_low_bits(const void *a, const void *b) {
	u32 x = *(const u32 *)a << 16 | *(const u32 *)a >> 16, y = *(const u32 *)b << 16 | *(const u32 *)b >> 16;
	return (x > y) - (x < y);
}

static void swap(u32 *a, u32 *b) {
	u32 t = *a;
	*a = *b, *b = t;
}

static void sort(u32 *first, u32 *last, compare *cmp) {
	while (last - first > 12) {
		u32 *middle = first + (last - first) / 2;
		if (cmp(middle, first) < 0)
			swap(middle, first);
		if (cmp(last, first) < 0)
			swap(last, first);
		if (cmp(last, middle) < 0)
			swap(last, middle);
		u32 pivot = *middle;
		u32 *i = first, *j = last;
		while (i <= j) {
			while (cmp(i, &pivot) < 0)
				i++;
			while (cmp(&pivot, j) < 0)
				j--;
			if (i <= j)
				swap(i++, j--);
		}
		if (j - first < last - i) {
			sort(first, j, cmp);
			first = i;
		} else {
			sort(i, last, cmp);
			last = j;
		}
	}
	for (u32 *i = first + 1; i <= last; i++) {
		u32 value = *i, *j = i;
		for (; j > first && cmp(&value, j - 1) < 0; j--)
			*j = *(j - 1);
		*j = value;
	}
}

static compare *const orders[] = {ascending, by_low_bits};

i64 run(i64 n) {
	u64 sum = 0, seed = 4;
	for (i64 round = 0; round < n; round++) {
		for (int i = 0; i < ITEMS; i++)
			items[i] = (u32)(next_random(&seed) >> 32);
		sort(items, items + ITEMS - 1, orders[round % 2]);
		for (int i = 0; i < ITEMS; i += 997)
			sum = mix(sum, items[i]);
	}
	return (i64)sum;
}
