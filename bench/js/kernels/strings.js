// Strings that are built, cut, searched and joined.
function kernel() {
  let text = '';
  for (let n = 0; n < 20000; n++) text += String.fromCharCode(97 + (n * 7) % 26) + (n % 9 === 0 ? ' ' : '');
  const words = text.split(' ');
  let hash = 0;
  for (let n = 0; n < text.length; n++) hash = (hash * 31 + text.charCodeAt(n)) | 0;
  const turned = words.map((word) => word.toUpperCase().slice(1) + word[0]).join('-');
  let found = 0;
  for (let at = turned.indexOf('A'); at >= 0; at = turned.indexOf('A', at + 1)) found++;
  const pieces = [];
  for (let n = 0; n < 3000; n++) pieces.push(`${n}:${n * n}`.padStart(12, '.'));
  const line = pieces.join('');
  return [hash, found, turned.length, line.length, line.lastIndexOf('9:81'), text.replaceAll('a', 'bb').length].join();
}
