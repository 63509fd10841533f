// Drives a worker with npm's @agoric/xsnap, as it was published:
//
//   node library.mjs NODE_MODULES WORKER PROGRAMS
//
// The library of that version knows its own worker only; another one is put in its
// place where it is spawned.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createReadStream, promises as fs, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, type } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, worker, programs] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(modules, path)));
await load('@endo/init/debug.js');
const { xsnap } = await load('@agoric/xsnap/src/xsnap.js');
const { ExitCode } = await load('@agoric/xsnap/api.js');
const tmp = createRequire(join(modules, 'x.js'))('tmp');

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const dir = mkdtempSync(join(tmpdir(), 'carrel-library-'));
process.on('exit', () => rmSync(dir, { recursive: true }));

const start = async (options = {}) => {
  const messages = [];
  const vat = await xsnap({
    name: 'vat',
    os: type(),
    spawn: (_bin, args, o) => spawn(worker, args, o),
    fs: { ...fs, createReadStream, tmpName: (o, done) => tmp.tmpName({ ...o, dir: tmpdir() }, done) },
    stdout: 'ignore',
    stderr: 'ignore',
    handleCommand: async (message) => {
      messages.push(decoder.decode(message));
      return message;
    },
    ...options,
  });
  return { vat, messages };
};
const send = `const send = (it) => issueCommand(new TextEncoder().encode(JSON.stringify(it)).buffer);`;
const rejects = async (promise, code, message) => {
  const e = await promise.then(() => assert.fail('it is fulfilled'), (e) => e);
  assert.equal(e.code, code, e.stack);
  if (message) assert.match(e.message, message);
};

const steps = {
  async 'evaluate and report'() {
    const { vat } = await start();
    const { reply, meterUsage } = await vat.evaluate(`Promise.resolve(null).then(() => 0);
      const r = {}; Promise.resolve().then(() => { r.result = new TextEncoder().encode('hi').buffer }); r`);
    assert.equal(decoder.decode(reply), 'hi');
    assert.deepEqual(Object.keys(meterUsage), ['meterType', 'currentHeapCount', 'compute', 'allocate', 'timestamps']);
    assert.ok(meterUsage.compute > 0 && meterUsage.allocate > 0 && meterUsage.currentHeapCount > 0);
    assert.equal(meterUsage.timestamps.length, 2);
    await vat.close();
  },

  async 'deliver, and ask'() {
    const { vat, messages } = await start();
    await vat.evaluate(`${send} globalThis.handleCommand = (m) => { send(new TextDecoder().decode(m)); return new TextEncoder().encode('got it').buffer; }`);
    const { reply } = await vat.issueStringCommand('hello');
    assert.equal(reply, 'got it');
    assert.deepEqual(messages, ['"hello"']);
    await vat.isReady();
    await vat.close();
  },

  async 'exceptions'() {
    const { vat } = await start();
    await rejects(vat.evaluate('throw new Error("no")'), undefined, /^Uncaught exception in vat: Error: no$/);
    await vat.evaluate('1');
    await rejects(vat.evaluate('}'), undefined, /^Uncaught exception in vat: SyntaxError: /);
    await rejects(vat.close(), ExitCode.E_UNHANDLED_EXCEPTION, /^vat exited: unhandled exception$/);
  },

  async 'the meter is the same for the same, and can be set aside'() {
    const computes = [];
    for (const rounds of [10000, 99999]) {
      const { vat, messages } = await start();
      await vat.evaluate(`globalThis.rounds = ${rounds}`);
      const { meterUsage } = await vat.evaluate(`${send} send(currentMeterLimit());
        const limit = currentMeterLimit(), before = resetMeter(0, 0);
        for (let n = 0; n < rounds; n++);
        resetMeter(limit, before); send(currentMeterLimit());`);
      computes.push(meterUsage.compute);
      assert.deepEqual(messages, ['100000000', '100000000']);
      await vat.close();
    }
    assert.equal(computes[0], computes[1]);
  },

  async 'limits'() {
    const limited = await start({ meteringLimit: 100_000 });
    await rejects(limited.vat.evaluate('for (;;);'), ExitCode.E_TOO_MUCH_COMPUTATION, /^vat exited: too much computation$/);
    const { vat } = await start({ meteringLimit: 0 });
    await rejects(vat.evaluate('(function f() { f() + 1 })()'), ExitCode.E_STACK_OVERFLOW, /^vat exited: stack overflow$/);
    const memory = await start({ meteringLimit: 0 });
    await rejects(memory.vat.evaluate('const a = []; for (;;) a.push(new ArrayBuffer(2.14e9))'), ExitCode.E_NOT_ENOUGH_MEMORY, /^vat exited: not enough memory$/);
    const parser = await start({ parserBufferSize: 2 });
    await rejects(parser.vat.evaluate(`'${'x'.repeat(5000)}'`), undefined, /buffer overflow/);
  },

  async 'snapshots, through pipes and files'() {
    for (const snapshotUseFs of [false, true]) {
      const { vat } = await start({ snapshotUseFs });
      await vat.evaluate(`let n = 41; globalThis.next = () => { n += 1; const r = {}; waiting.then(() => { r.result = new TextEncoder().encode(String(n)).buffer }); go(); return r; };
        let go; const waiting = new Promise((r) => { go = r });`);
      const snapshots = [];
      for (let n = 0; n < 2; n++) {
        const chunks = [];
        for await (const chunk of vat.makeSnapshotStream('a snapshot')) chunks.push(chunk);
        snapshots.push(Buffer.concat(chunks));
      }
      assert.ok(snapshots[0].length > 0 && snapshots[0].equals(snapshots[1]));
      const again = await start({ snapshotUseFs, snapshotStream: (async function* () { yield* [snapshots[0]]; })(), snapshotDescription: 'a snapshot' });
      for (const { evaluate } of [vat, again.vat]) assert.equal(decoder.decode((await evaluate('next()')).reply), '42');
      await vat.close();
      await again.vat.close();
    }
    const bad = await start({ snapshotStream: (async function* () { yield Buffer.from('no snapshot'); })() });
    await rejects(bad.vat.isReady(), ExitCode.E_IO_ERROR, /^vat exited: I\/O error$/);
  },

  async 'files'() {
    await fs.writeFile(join(dir, 'script.js'), 'globalThis.a = 1');
    await fs.writeFile(join(dir, 'module.mjs'), 'globalThis.b = 2');
    const { vat } = await start();
    await vat.execute(join(dir, 'script.js'));
    await vat.import(join(dir, 'module.mjs'));
    assert.equal(decoder.decode((await vat.evaluate('new TextEncoder().encode(`${a} ${b}`).buffer')).reply), '1 2');
    await vat.close();
  },

  async 'terminate'() {
    const { vat } = await start({ meteringLimit: 0 });
    const running = vat.evaluate('for (;;);');
    await vat.isReady; // as it is given out
    await vat.terminate();
    await rejects(running, 'SIGTERM', /^vat exited due to signal SIGTERM$/);
  },

  async 'the published lockdown'() {
    const { source } = JSON.parse(readFileSync(join(programs, 'lockdown.bundle'), 'utf8'));
    const { vat, messages } = await start();
    await vat.evaluate(`(${source}\n)()`.trim());
    await vat.evaluate(`${send} send([typeof Compartment, Object.isFrozen(Array.prototype), new Compartment().evaluate('typeof print')]);`);
    assert.deepEqual(messages, ['["function",true,"undefined"]']);
    await vat.close();
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log('ok', name);
}
console.log('all is well');
process.exit(0);
