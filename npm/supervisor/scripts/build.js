// Lets carrel write the bundle into dist. Set CARREL if it is not in PATH.
import { execFileSync } from 'node:child_process';
import { env } from 'node:process';

import { bundlePaths } from '../src/paths.js';

execFileSync(env.CARREL || 'carrel', ['supervisor', '-o', bundlePaths.supervisor], { stdio: 'inherit' });
