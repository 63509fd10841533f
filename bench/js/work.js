// What QuickJS is measured with. Each function does a fixed piece of work of
// its own kind and answers a checksum; work() does them all.

function objects() {
  let list = null, sum = 0;
  for (let i = 0; i < 20000; i++) list = { value: i, next: list, kind: i % 3 ? "a" : "b" };
  for (let n = list; n; n = n.next) if (n.kind === "a") sum = (sum + n.value) % 1000003;
  return sum;
}

class Shape {
  constructor(w) { this.w = w; }
  area() { return this.w * this.w; }
}
class Box extends Shape {
  constructor(w, h) { super(w); this.h = h; }
  area() { return this.w * this.h; }
}

function methods() {
  const shapes = [];
  for (let i = 0; i < 100; i++) shapes.push(i % 2 ? new Shape(i) : new Box(i, i + 1));
  let sum = 0;
  for (let round = 0; round < 300; round++) for (const s of shapes) sum = (sum + s.area()) % 1000003;
  return sum;
}

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

function sieve() {
  const flags = new Uint8Array(30000);
  let count = 0;
  for (let i = 2; i < flags.length; i++) {
    if (flags[i]) continue;
    count++;
    for (let j = i * 2; j < flags.length; j += i) flags[j] = 1;
  }
  return count;
}

function closures() {
  const make = (n) => (x) => x + n;
  return Array.from({ length: 5000 }, (_, i) => make(i))
    .map((f, i) => f(i)).filter((x) => x % 3 === 0).reduce((a, b) => (a * 31 + b) % 1000003, 7);
}

function sorting() {
  let seed = 42;
  const items = Array.from({ length: 4000 }, () => (seed = (seed * 1103515245 + 12345) % 2147483648));
  items.sort((a, b) => a - b);
  return items[1000] + items[3000];
}

function maps() {
  const m = new Map();
  for (let i = 0; i < 8000; i++) { const k = "k" + (i * 7919) % 2003; m.set(k, (m.get(k) ?? 0) + i); }
  let sum = 0;
  for (const [k, v] of m) sum = (sum + v * k.length) % 1000003;
  return sum;
}

function strings() {
  let s = "";
  for (let i = 0; i < 5000; i++) s += String.fromCharCode(97 + i % 26);
  let sum = 0;
  for (let i = 0; i < s.length; i++) sum = (sum * 33 + s.charCodeAt(i)) % 1000003;
  return sum + s.split("e").join("E").indexOf("E");
}

function json() {
  const doc = { list: [], name: "carrel" };
  for (let i = 0; i < 400; i++) doc.list.push({ id: i, tags: ["x" + i, "y"], deep: { a: i / 4, b: null } });
  const text = JSON.stringify(doc);
  return JSON.parse(text).list[77].deep.a + text.length;
}

function regexps() {
  const text = "the quick brown fox jumps over the lazy dog 12345 ".repeat(40);
  let sum = 0;
  for (const m of text.matchAll(/(\w+)\s+(\d+|o\w*)/g)) sum = (sum + m.index) % 1000003;
  return sum + text.replace(/[aeiou]/g, (c) => c.toUpperCase()).length;
}

function floats() {
  let x = 0.5, sum = 0;
  for (let i = 1; i < 40000; i++) { x = 3.7 * x * (1 - x); sum += Math.sqrt(x) / i; }
  return sum;
}

function work() {
  return [objects(), methods(), fib(18), sieve(), closures(), sorting(), maps(), strings(), json(), regexps(), floats()].join(" ");
}
