// Regular expressions: what a log is taken apart with.
function kernel() {
  const lines = [];
  for (let n = 0; n < 400; n++) {
    lines.push(`2024-0${1 + (n % 9)}-1${n % 10} 12:${10 + (n % 50)}:07 host${n % 5}.example GET /path/${n}/item?id=${n * 3}&name=x${n} ${n % 7 ? 200 : 404} ${n * 17}`);
  }
  const text = lines.join('\n');
  const line = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d) ([\w.]+) (GET|POST) (\S+) (\d{3}) (\d+)$/gm;
  let bytes = 0, missing = 0;
  for (const m of text.matchAll(line)) { bytes += Number(m[11]); if (m[10] === '404') missing++; }
  const queries = text.match(/[?&](\w+)=(\w+)/g).length;
  const named = text.replace(/host(?<n>\d)\.example/g, (_, n) => `h${n}`);
  const words = named.split(/[\s/?&=.:-]+/).length;
  const vowels = (named.match(/[aeiou](?![aeiou])/gi) ?? []).length;
  return [bytes, missing, queries, named.length, words, vowels, /(x+)+y/.test('x'.repeat(12))].join();
}
