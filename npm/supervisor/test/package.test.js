// The package as its users see it. The bundle must have been built.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { getSupervisorBundle, getSupervisorBundleSHA256 } from '../src/index.js';
import { bundlePaths, hashPaths } from '../src/paths.js';

const sha256 = text => createHash('sha256').update(text).digest('hex');

test('paths', () => {
  assert.deepEqual(Object.keys(bundlePaths), ['supervisor']);
  assert.deepEqual(Object.keys(hashPaths), ['supervisor']);
});

test('bundle and hash', async () => {
  const bundle = await getSupervisorBundle();
  assert.deepEqual(Object.keys(bundle), ['moduleFormat', 'source', 'sourceMap']);
  assert.equal(bundle.moduleFormat, 'nestedEvaluate');
  assert.equal(typeof (0, eval)(`(${bundle.source})`), 'function');
  assert.equal(sha256(JSON.stringify(bundle)), await getSupervisorBundleSHA256());
  assert.equal(sha256(await readFile(bundlePaths.supervisor)), await getSupervisorBundleSHA256());
});

test('what is not built is said to be so', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'supervisor-'));
  try {
    await cp(fileURLToPath(new URL('../src', import.meta.url)), join(copy, 'src'), { recursive: true });
    await cp(new URL('../package.json', import.meta.url), join(copy, 'package.json'));
    for (const [call, what, file] of [
      ['getSupervisorBundle', 'bundle', 'supervisor.bundle'],
      ['getSupervisorBundleSHA256', 'hash', 'supervisor.bundle.sha256'],
    ]) {
      const script = `import { ${call} } from './src/index.js'; ${call}().catch(e => process.stdout.write(e.code));`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: copy, encoding: 'utf8' });
      assert.equal(stdout, 'ENOENT');
      const [first, second] = stderr.split('\n');
      assert.match(first, new RegExp(`^unable to read supervisor ${what} at .*[/\\\\]dist[/\\\\]${file.replaceAll('.', '\\.')}$`));
      assert.equal(second, "perhaps run 'yarn build' in @agoric/swingset-xsnap-supervisor");
    }
  } finally {
    await rm(copy, { recursive: true });
  }
});
