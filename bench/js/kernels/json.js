// JSON, there and back: records such as messages are made of.
function kernel() {
  const records = [];
  for (let n = 0; n < 400; n++) {
    records.push({ id: n, name: `record ${n}`, tags: ['a', 'bc', `t${n % 7}`], nested: { x: n / 8, y: -n, ok: n % 2 === 0, none: null }, text: 'a "quoted" line\nand another' });
  }
  let length = 0;
  let value = { records };
  for (let round = 0; round < 6; round++) {
    const text = JSON.stringify(value);
    length += text.length;
    value = JSON.parse(text);
  }
  return [length, value.records.length, value.records[399].nested.x, JSON.stringify(value, null, 2).length].join();
}
