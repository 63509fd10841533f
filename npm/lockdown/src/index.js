import { readFile } from 'node:fs/promises';

import { bundlePaths, hashPaths } from './paths.js';

const read = async (what, path) => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    console.error(`unable to read lockdown ${what} at ${path}`);
    console.error(`perhaps run 'yarn build' in @agoric/xsnap-lockdown`);
    throw error;
  }
};

const readBundle = async path => JSON.parse(await read('bundle', path));
const readHash = async path => (await read('hash', path)).trim();

/**
 * @typedef {object} Bundle
 * @property {'nestedEvaluate'} moduleFormat
 * @property {string} source a function, to be evaluated as `(${source}\n)()`
 * @property {string} sourceMap
 */

/**
 * The bundle that makes a start compartment secure.
 *
 * @returns {Promise<Bundle>}
 */
export const getLockdownBundle = () => readBundle(bundlePaths.lockdown);

/**
 * The bundle that is easier to debug, and less safe.
 *
 * @returns {Promise<Bundle>}
 */
export const getDebugLockdownBundle = () => readBundle(bundlePaths.lockdownDebug);

/**
 * The hexadecimal SHA-256 of the bundle's file, which is JSON.stringify(bundle).
 *
 * @returns {Promise<string>}
 */
export const getLockdownBundleSHA256 = () => readHash(hashPaths.lockdown);

/** @returns {Promise<string>} */
export const getDebugLockdownBundleSHA256 = () => readHash(hashPaths.lockdownDebug);
