// Arrays that are sorted by a function: numbers, and records by two of their fields.
function kernel() {
  let seed = 42;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648);
  const numbers = Array.from({ length: 6000 }, random);
  numbers.sort((a, b) => a - b);
  const records = Array.from({ length: 3000 }, () => ({ name: `n${random() % 500}`, age: random() % 90 }));
  records.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.age - b.age));
  let sum = 0;
  for (let n = 0; n < numbers.length; n += 10) sum = (sum + numbers[n] * n) % 1000003;
  for (let n = 0; n < records.length; n += 10) sum = (sum + records[n].age * n) % 1000003;
  return String(sum);
}
