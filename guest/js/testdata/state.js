// State of all kinds: closures, generators half way through, promises that wait,
// weak and strong maps, private fields, strings, a typed array, garbage.
const total = (() => {
  let n = 0;
  return (d) => (n += d);
})();
const words = new Map();
const notes = new WeakMap();
const numbers = new Float64Array(512);
const ring = [];
const finalized = [];
const registry = new FinalizationRegistry((n) => finalized.push(n));
class Counter {
  #n = 0n;
  next() {
    return (this.#n += 3n);
  }
}
const counter = new Counter();
function* walk() {
  let a = 1;
  let b = 1;
  for (;;) {
    yield a;
    [a, b] = [b, (a + b) % 1000003];
  }
}
const path = walk();
let wake;
let woken = 0;
const sleep = async () => {
  woken += await new Promise((resolve) => {
    wake = resolve;
  });
};
let weak;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

const step = (n) => {
  const value = path.next().value;
  total(value);
  const word = { n, text: 'x'.repeat(n % 50) };
  words.set(`word${(n * 7919) % 199}`, word);
  notes.set(word, `note ${n}`);
  numbers[n % 512] = Math.sqrt(value) / 3 + Math.random();
  ring.push([n, value]);
  if (ring.length > 100) ring.shift();
  if (n % 10 === 0) sleep();
  else if (n % 10 === 5 && wake) wake(n);
  if (n % 7 === 0) registry.register({ n }, n);
  if (n % 9 === 0) {
    weak = new WeakRef({ cycle: null });
    weak.deref() && (weak.deref().cycle = weak);
  }
  if (n % 11 === 0) gc();
  if (n % 13 === 0) print(`step ${n} at ${Date.now()}`);
  if (n % 17 === 0) Promise.reject(new Error(`nobody at ${n}`));
  const garbage = [];
  for (let i = 0; i < n % 30; i++) garbage.push({ i, n, garbage });
  const asked = n % 3 === 0 ? decoder.decode(issueCommand(encoder.encode(`ask ${n}`).buffer)) : '';
  const noted = [...words.values()].map((w) => notes.get(w)).join().length;
  return [n, total(0), words.size, woken, counter.next(), finalized.length, noted, asked, numbers.reduce((a, b) => a + b, 0)].join(' ');
};

globalThis.handleCommand = (message) => {
  const n = JSON.parse(decoder.decode(message));
  const report = {};
  setImmediate(() => {
    report.result = encoder.encode(step(n)).buffer;
  });
  return report;
};
