/* What the parts of this test share. */

/* The header that the next checks are about. */
void header(const char *name);

/* One function or macro of it, and whether it did what C99 says. */
void check(const char *function, const char *file, int line, int ok);
#define IS(function, ...) check(#function, __FILE__, __LINE__, (__VA_ARGS__) != 0)

/* Values that the compiler does not know, so that it has to call. */
#define F(x) (*(volatile float *)&(float){x})
#define D(x) (*(volatile double *)&(double){x})
#define L(x) (*(volatile long double *)&(long double){x})
#define N(x) (*(volatile int *)&(int){x})
#define S(x) (*(const char *volatile *)&(const char *){x})

void numbers(void);
void generic(void);
void text(void);
void wide(void);
void streams(void);
void wide_streams(void);
void program(void);
void language(void);
