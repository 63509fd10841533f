/* Counts primes with a sieve. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 100000, count = 0;
  char *composite = calloc(n + 1, 1);
  if (!composite) return 1;
  for (int i = 2; i <= n; i++) {
    if (composite[i]) continue;
    count++;
    for (long long j = (long long)i * i; j <= n; j += i) composite[j] = 1;
  }
  printf("%d primes up to %d\n", count, n);
  return 0;
}
