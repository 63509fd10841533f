// Closures, generators, spreading and destructuring: code in many small functions.
function kernel() {
  const counter = () => {
    let n = 0;
    return { up: (by) => (n += by), get: () => n };
  };
  const compose = (...fs) => (x) => fs.reduce((value, f) => f(value), x);
  const counters = Array.from({ length: 50 }, counter);
  const step = compose((x) => x + 1, (x) => x * 3, (x) => x % 1009);
  let x = 1;
  for (let n = 0; n < 8000; n++) {
    x = step(x);
    counters[n % 50].up(x);
  }
  function* naturals(limit) {
    for (let n = 0; n < limit; n++) yield n;
  }
  let sum = 0;
  for (const n of naturals(8000)) sum += n;
  const pairs = Array.from({ length: 3000 }, (_, n) => ({ a: n, b: [n, n + 1] }));
  for (const { a, b: [c, d] } of pairs) sum += a * c - d;
  const squares = [...pairs.map(({ a }) => a * a).filter((n) => n % 3 === 1)];
  return [x, sum, squares.length, counters.reduce((total, c) => total + c.get(), 0)].join();
}
