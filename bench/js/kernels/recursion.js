// Calls: Fibonacci numbers, Ackermann's and Takeuchi's functions.
function kernel() {
  const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  const ackermann = (m, n) => (m === 0 ? n + 1 : n === 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)));
  const tak = (x, y, z) => (y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)));
  return [fib(23), ackermann(2, 60), tak(14, 8, 3)].join();
}
