// The package as its users see it. The bundles must have been built.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

import objectInspect from '../lib/object-inspect.js';
import {
  getDebugLockdownBundle,
  getDebugLockdownBundleSHA256,
  getLockdownBundle,
  getLockdownBundleSHA256,
} from '../src/index.js';
import { bundlePaths, entryPaths, hashPaths } from '../src/paths.js';

const cases = JSON.parse(await readFile(new URL('inspect.json', import.meta.url), 'utf8'));
const sha256 = text => createHash('sha256').update(text).digest('hex');

/** A start compartment with nothing but print. */
const start = bundle => {
  const lines = [];
  const context = vm.createContext({ print: (...args) => lines.push(args.join(' ')) });
  vm.runInContext('delete globalThis.console', context);
  const run = source => vm.runInContext(source, context);
  run(`(${bundle.source}\n)()`.trim());
  return { run, lines };
};

test('paths', () => {
  assert.deepEqual(Object.keys(bundlePaths), ['lockdown', 'lockdownDebug', 'objectInspect']);
  assert.deepEqual(Object.keys(hashPaths), ['lockdown', 'lockdownDebug']);
  assert.deepEqual(Object.keys(entryPaths), ['lockdown', 'lockdownDebug', 'objectInspect']);
});

for (const [name, getBundle, getHash, path] of [
  ['lockdown', getLockdownBundle, getLockdownBundleSHA256, bundlePaths.lockdown],
  ['debug', getDebugLockdownBundle, getDebugLockdownBundleSHA256, bundlePaths.lockdownDebug],
]) {
  test(`${name}: bundle and hash`, async () => {
    const bundle = await getBundle();
    assert.deepEqual(Object.keys(bundle), ['moduleFormat', 'source', 'sourceMap']);
    assert.equal(bundle.moduleFormat, 'nestedEvaluate');
    assert.equal(bundle.sourceMap, '');
    assert.equal(typeof (0, eval)(`(${bundle.source})`), 'function');
    assert.match(await getHash(), /^[0-9a-f]{64}$/);
    assert.equal(sha256(JSON.stringify(bundle)), await getHash());
    assert.equal(sha256(await readFile(path)), await getHash());
  });

  test(`${name}: a start compartment`, async () => {
    const { run, lines } = start(await getBundle());
    assert.deepEqual(lines, []);
    run(`
      console.log('text', 1, [new Map([['foo', 'bar']]), 1234n, () => {}, Error('x')]);
      for (const level of ['debug', 'info', 'warn', 'error']) console[level](level, { level });
      for (const level of ['trace', 'dirxml', 'group', 'groupEnd', 'assert', 'clear', 'count', 'dir', 'table', 'time', 'timeEnd']) console[level](level);
    `);
    assert.deepEqual(lines.splice(0), [
      "text 1 [ Map (1) {'foo' => 'bar'}, 1_234n, [Function (anonymous)], [Error: x] ]",
      ...['debug', 'info', 'warn', 'error'].map(level => `${level} { level: '${level}' }`),
    ]);
    run(`
      print([Compartment, harden, HandledPromise, assert].map(v => typeof v).join());
      print(Object.isFrozen(Array.prototype), Object.isFrozen(console));
      print(Compartment.name, new Compartment().globalThis.Error.name);
      for (const source of ['Date.now()', 'Math.random()', 'typeof print', 'typeof console', "import('x')"]) {
        try {
          print(source, new Compartment().evaluate(source));
        } catch (error) {
          print(source, error.name);
        }
      }
    `);
    assert.deepEqual(lines.splice(0), [
      'function,function,function,function',
      'true true',
      'Compartment Error',
      'Date.now() TypeError',
      'Math.random() TypeError',
      'typeof print undefined',
      'typeof console undefined',
      "import('x') SyntaxError",
    ]);
  });

  test(`${name}: the inspector is confined`, async () => {
    const { run, lines } = start(await getBundle());
    run(`
      for (const name of Object.getOwnPropertyNames(globalThis)) {
        if (name === 'print' || name === 'console' || name === 'globalThis') continue;
        try {
          globalThis[name] = () => { throw 'tampered with ' + name; };
          delete globalThis[name];
        } catch {}
      }
      console.log({ after: [1n, 'all'] });
    `);
    assert.deepEqual(lines, ["{ after: [ 1n, 'all' ] }"]);
  });

  test(`${name}: print may be replaced`, async () => {
    const { run, lines } = start(await getBundle());
    run("{ const was = print; globalThis.print = (...args) => was('new', ...args); } console.log(1); delete globalThis.print; console.log(2);");
    assert.deepEqual(lines, ['new 1']);
  });

  test(`${name}: nested evaluation`, async () => {
    const { source } = await getBundle();
    const context = vm.createContext({ sources: [] });
    vm.runInContext('globalThis.nestedEvaluate = source => { sources.push(source); return () => {}; }', context);
    vm.runInContext(`(${source})`, context)('some/where/');
    const [nested] = context.sources;
    assert.equal(context.sources.length, 1);
    assert.match(nested, /\n\/\/# sourceURL=some\/where\/xsnap-lockdown\/lib\/ses-boot(-debug)?\.js\n$/);
  });
}

test('debug shows stacks, and the other does not', async () => {
  const stack = "print(new Error('here').stack)";
  const secure = start(await getLockdownBundle());
  secure.run(stack);
  assert.deepEqual(secure.lines, ['']);
  const debug = start(await getDebugLockdownBundle());
  debug.run(stack);
  assert.match(debug.lines[0], /^Error: here\n +at /);
});

test('the inspector', () => {
  for (const [source, want] of cases) {
    assert.equal(objectInspect((0, eval)(`(${source})`)), want, source);
  }
});

test('the inspector as a bundle', async () => {
  const { default: bundle } = await import(bundlePaths.objectInspect);
  assert.deepEqual(Object.keys(bundle), ['moduleFormat', 'source', 'sourceMap']);
  assert.equal(bundle.moduleFormat, 'getExport');
  const inspect = (0, eval)(`(${bundle.source}\n)()`).default;
  for (const [source, want] of cases) {
    assert.equal(inspect((0, eval)(`(${source})`)), want, source);
  }
});

test('what is not built is said to be so', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'lockdown-'));
  try {
    const source = fileURLToPath(new URL('../src', import.meta.url));
    await cp(source, join(copy, 'src'), { recursive: true });
    await cp(new URL('../package.json', import.meta.url), join(copy, 'package.json'));
    for (const [call, what, file] of [
      ['getLockdownBundle', 'bundle', 'lockdown.bundle'],
      ['getDebugLockdownBundle', 'bundle', 'lockdown-debug.bundle'],
      ['getLockdownBundleSHA256', 'hash', 'lockdown.bundle.sha256'],
      ['getDebugLockdownBundleSHA256', 'hash', 'lockdown-debug.bundle.sha256'],
    ]) {
      const script = `import { ${call} } from './src/index.js'; ${call}().catch(e => process.stdout.write(e.code));`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: copy, encoding: 'utf8' });
      assert.equal(stdout, 'ENOENT');
      const [first, second] = stderr.split('\n');
      assert.match(first, new RegExp(`^unable to read lockdown ${what} at .*[/\\\\]dist[/\\\\]${file.replaceAll('.', '\\.')}$`));
      assert.equal(second, "perhaps run 'yarn build' in @agoric/xsnap-lockdown");
    }
  } finally {
    await rm(copy, { recursive: true });
  }
});
