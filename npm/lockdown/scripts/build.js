// Lets carrel write the bundles into dist. Set CARREL if it is not in PATH.
import { execFileSync } from 'node:child_process';
import { env } from 'node:process';

import { bundlePaths } from '../src/paths.js';

const carrel = (...args) => execFileSync(env.CARREL || 'carrel', args, { stdio: 'inherit' });

carrel('lockdown', '--inspector', '-o', bundlePaths.objectInspect);
carrel('lockdown', '-o', bundlePaths.lockdown);
carrel('lockdown', '--debug', '-o', bundlePaths.lockdownDebug);
