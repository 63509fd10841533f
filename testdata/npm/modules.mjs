// What a program does with modules of npm: a parser, a compressor, a library of
// cryptography, one of dates. Run by node and by carrel, it prints the same.
import { parse } from 'acorn';
import { addDays, differenceInCalendarDays, format } from 'date-fns';
import { gunzipSync, gzipSync, strFromU8, strToU8 } from 'fflate';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

let source = '';
for (let n = 0; n < 200; n++) source += `const f${n} = (a, b = ${n}) => ({ ...a, [b]: a?.x ?? b ** 2 });\n`;

const kinds = new Map();
const walk = (node) => {
  kinds.set(node.type, (kinds.get(node.type) ?? 0) + 1);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child.type === 'string') walk(child);
    }
  }
};

const lines = [];
walk(parse(source, { ecmaVersion: 2022 }));
lines.push(JSON.stringify([...kinds].sort()));

const packed = gzipSync(strToU8(source), { mtime: 0 });
lines.push(`${source.length} bytes packed to ${packed.length}: ${bytesToHex(sha256(packed))}`);
lines.push(String(strFromU8(gunzipSync(packed)) === source));
lines.push(bytesToHex(hmac(sha256, strToU8('key'), strToU8(source))));

const day = new Date(2026, 1, 27);
lines.push(format(addDays(day, 3), "EEEE, d MMMM yyyy 'at' HH:mm"));
lines.push(String(differenceInCalendarDays(new Date(2028, 0, 1), day)));

export default () => lines.join('\n');
