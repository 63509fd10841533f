// Map and Set with numbers, strings and objects as keys.
function kernel() {
  const byNumber = new Map();
  for (let n = 0; n < 12000; n++) byNumber.set((n * 7919) % 6007, n);
  const byText = new Map();
  for (let n = 0; n < 6000; n++) {
    const key = `k${n % 1500}`;
    byText.set(key, (byText.get(key) ?? 0) + n);
  }
  const objects = Array.from({ length: 2000 }, (_, n) => ({ n }));
  const seen = new Set(objects);
  const weak = new WeakMap(objects.map((o) => [o, o.n]));
  let sum = 0;
  for (const [key, value] of byNumber) sum += key ^ value;
  for (const value of byText.values()) sum += value;
  for (const o of objects) if (seen.has(o) && seen.delete(o)) sum += weak.get(o);
  return [sum, byNumber.size, byText.size, seen.size].join();
}
