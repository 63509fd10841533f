// How a program of JavaScript is run: main is what npm/bundler made of its module,
// input is what it is handed. What comes of it is result: its exit code, or none if
// it waits for what never comes.
(main, input) => {
  'use strict';

  const { issueCommand } = globalThis;
  const { args, env } = input;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  // ask sends the host a letter, and bytes after it.
  const ask = (letter, bytes) => {
    const message = new Uint8Array(1 + bytes.length);
    message[0] = letter.charCodeAt(0);
    message.set(bytes, 1);
    return new Uint8Array(issueCommand(message.buffer));
  };

  const bytesOf = (value) => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return encoder.encode(typeof value === 'string' ? value : `${value}`);
  };
  const write = (value) => void ask('w', bytesOf(value));
  const print = (...values) => write(values.map(String).join(' ') + '\n');

  const read = () => {
    const bytes = ask('r', new Uint8Array(0));
    return bytes.length === 0 ? null : bytes;
  };
  const stdin = {
    // read answers some bytes, or null at the end.
    read,
    bytes: () => {
      const parts = [];
      let length = 0;
      for (let part = read(); part !== null; part = read()) {
        parts.push(part);
        length += part.length;
      }
      const all = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
    text: () => decoder.decode(stdin.bytes()),
    // lines are without their ends.
    *lines() {
      const streaming = new TextDecoder();
      let rest = '';
      for (let part = read(); part !== null; part = read()) {
        const lines = (rest + streaming.decode(part, { stream: true })).split('\n');
        rest = lines.pop();
        yield* lines;
      }
      rest += streaming.decode();
      if (rest !== '') yield rest;
    },
  };

  // show prints what main answered: bytes and strings as they are, nothing for
  // undefined, else JSON.
  const show = (value) => {
    if (value === undefined) return;
    if (typeof value === 'string') print(value);
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) write(value);
    else print(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v)));
  };

  const report = {};
  const run = async () => {
    const exports = await main(print);
    const { default: start } = exports;
    show(typeof start === 'function' ? await start({ args, env, stdin, print, write }) : await start);
  };
  run().then(
    () => {
      report.result = 0;
    },
    (e) => {
      console.error('Uncaught', e);
      report.result = 1;
    },
  );
  return report;
}
