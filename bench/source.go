package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// sourceLines is how long the C file is that compilers are measured with.
const sourceLines = 5000

// cSource is a C file of about sourceLines lines, always the same: units of the
// kind that programs are made of, with tables, parsers, lists, sorting, state
// machines, text and floating point. It includes nothing, so that every compiler
// and target reads the same.
func cSource() []byte {
	var b bytes.Buffer
	b.WriteString("typedef __SIZE_TYPE__ size_t;\nvoid *malloc(size_t);\nvoid free(void *);\nvoid *memcpy(void *, const void *, size_t);\n" +
		"size_t strlen(const char *);\nint strcmp(const char *, const char *);\nint snprintf(char *, size_t, const char *, ...);\n\n")
	chance := rand.New(rand.NewPCG(22, 5000))
	units := 0
	for ; bytes.Count(b.Bytes(), []byte("\n")) < sourceLines-40; units++ {
		writeUnit(&b, units, chance)
	}
	b.WriteString("int main(void) {\n\tunsigned long sum = 0;\n")
	for n := range units {
		fmt.Fprintf(&b, "\tsum += unit%d(\"name=%d; size=0x%x; rest\");\n", n, n, n*77)
	}
	b.WriteString("\tchar text[32];\n\treturn snprintf(text, sizeof text, \"%lu\", sum) & 1;\n}\n")
	return b.Bytes()
}

// writeUnit writes a unit of some 110 lines. Names end in its number; numbers and
// the shape of its state machine come from chance.
func writeUnit(b *bytes.Buffer, unit int, chance *rand.Rand) {
	states := 4 + chance.IntN(5)
	var machine strings.Builder
	for s := range states {
		fmt.Fprintf(&machine, "\t\tcase %d:\n\t\t\tif (c == '%c')\n\t\t\t\tstate = %d;\n\t\t\telse if (c >= '0' && c <= '9')\n\t\t\t\tnumber = number * %d + (c - '0');\n\t\t\telse if (c %% %d == 0)\n\t\t\t\tstate = %d, sum ^= number << %d;\n\t\t\tbreak;\n",
			s, 'a'+rune(chance.IntN(26)), chance.IntN(states), 8+2*chance.IntN(5), 2+chance.IntN(9), chance.IntN(states), chance.IntN(16))
	}
	text := strings.NewReplacer(
		"@N", fmt.Sprint(unit), "@MACHINE", strings.TrimSuffix(machine.String(), "\n"),
		"@BUCKETS", fmt.Sprint(16<<chance.IntN(5)), "@SEED", fmt.Sprint(chance.Uint32()), "@PRIME", fmt.Sprint(chance.Uint32()|1),
		"@ROWS", fmt.Sprint(4+chance.IntN(12)), "@F", fmt.Sprintf("%.4f", chance.Float64()), "@SHIFT", fmt.Sprint(3+chance.IntN(20)),
	).Replace(unitText)
	b.WriteString(text)
}

const unitText = `struct entry@N {
	struct entry@N *next;
	char *key;
	unsigned hash, uses;
	double weight;
};

struct table@N {
	struct entry@N *buckets[@BUCKETS];
	unsigned count;
};

static unsigned hash@N(const char *key) {
	unsigned h = @SEEDu;
	for (; *key; key++) {
		h ^= (unsigned char)*key;
		h *= @PRIMEu;
		h = (h << @SHIFT) | (h >> (32 - @SHIFT));
	}
	return h;
}

static struct entry@N *find@N(struct table@N *t, const char *key, int make) {
	unsigned h = hash@N(key);
	struct entry@N **at = &t->buckets[h % @BUCKETS], *e;
	for (; (e = *at) != 0; at = &e->next) {
		if (e->hash == h && strcmp(e->key, key) == 0) {
			e->uses++;
			return e;
		}
	}
	if (!make || (e = malloc(sizeof *e)) == 0)
		return 0;
	size_t n = strlen(key) + 1;
	if ((e->key = malloc(n)) == 0) {
		free(e);
		return 0;
	}
	memcpy(e->key, key, n);
	e->next = 0;
	e->hash = h;
	e->uses = 1;
	e->weight = @F * (double)n;
	*at = e;
	t->count++;
	return e;
}

static void sort@N(struct entry@N **list, int n) {
	for (int gap = n / 2; gap > 0; gap /= 2) {
		for (int i = gap; i < n; i++) {
			struct entry@N *e = list[i];
			int j = i;
			while (j >= gap && (list[j - gap]->weight > e->weight ||
					(list[j - gap]->weight == e->weight && strcmp(list[j - gap]->key, e->key) > 0))) {
				list[j] = list[j - gap];
				j -= gap;
			}
			list[j] = e;
		}
	}
}

static unsigned scan@N(const char *text) {
	unsigned number = 0, sum = @SEEDu;
	int state = 0;
	for (unsigned char c; (c = (unsigned char)*text) != 0; text++) {
		switch (state) {
@MACHINE
		default:
			state = 0;
		}
		sum += number * 31 + (unsigned)state;
	}
	return sum;
}

static double solve@N(double a[@ROWS][@ROWS], double *x) {
	double worst = 0;
	for (int k = 0; k < @ROWS; k++) {
		int pivot = k;
		for (int i = k + 1; i < @ROWS; i++)
			if (a[i][k] * a[i][k] > a[pivot][k] * a[pivot][k])
				pivot = i;
		for (int j = 0; j < @ROWS; j++) {
			double swap = a[k][j];
			a[k][j] = a[pivot][j];
			a[pivot][j] = swap;
		}
		if (a[k][k] == 0)
			return @F;
		for (int i = k + 1; i < @ROWS; i++) {
			double factor = a[i][k] / a[k][k];
			for (int j = k; j < @ROWS; j++)
				a[i][j] -= factor * a[k][j];
			x[i] -= factor * x[k];
		}
		worst = x[k] > worst ? x[k] : worst;
	}
	return worst;
}

unsigned long unit@N(const char *text) {
	static struct table@N table;
	static double a[@ROWS][@ROWS], x[@ROWS];
	struct entry@N *list[@BUCKETS];
	int n = 0;
	char key[48];
	for (int i = 0; text[i] != 0; i++) {
		snprintf(key, sizeof key, "%d:%c:%u", i % @ROWS, text[i], scan@N(text + i));
		struct entry@N *e = find@N(&table, key, 1);
		if (e == 0)
			continue;
		a[i % @ROWS][e->uses % @ROWS] += e->weight;
		x[i % @ROWS] += @F;
		if (n < @BUCKETS)
			list[n++] = e;
	}
	sort@N(list, n);
	double worst = solve@N(a, x);
	for (int i = 0; i < n; i++)
		worst += list[i]->weight / (i + 1);
	return (unsigned long)(worst * 1000) + table.count + scan@N(text);
}

`
