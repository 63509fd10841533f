import { readFile } from 'node:fs/promises';

import { bundlePaths, hashPaths } from './paths.js';

const read = async (what, path) => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    console.error(`unable to read supervisor ${what} at ${path}`);
    console.error(`perhaps run 'yarn build' in @agoric/swingset-xsnap-supervisor`);
    throw error;
  }
};

/**
 * @typedef {object} Bundle
 * @property {'nestedEvaluate'} moduleFormat
 * @property {string} source a function, to be evaluated as `(${source}\n)()`
 * @property {string} sourceMap
 */

/**
 * The bundle that makes a SwingSet worker.
 *
 * @returns {Promise<Bundle>}
 */
export const getSupervisorBundle = async () =>
  JSON.parse(await read('bundle', bundlePaths.supervisor));

/**
 * The hexadecimal SHA-256 of the bundle's file, which is JSON.stringify(bundle).
 *
 * @returns {Promise<string>}
 */
export const getSupervisorBundleSHA256 = async () =>
  (await read('hash', hashPaths.supervisor)).trim();
