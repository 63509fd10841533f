// Where things are, for who builds them and for who reads them.
import { fileURLToPath } from 'node:url';

const path = below => fileURLToPath(new URL(`../${below}`, import.meta.url));

export const bundlePaths = {
  lockdown: path('dist/lockdown.bundle'),
  lockdownDebug: path('dist/lockdown-debug.bundle'),
  objectInspect: path('dist/object-inspect.js'),
};

export const hashPaths = {
  lockdown: path('dist/lockdown.bundle.sha256'),
  lockdownDebug: path('dist/lockdown-debug.bundle.sha256'),
};

export const entryPaths = {
  lockdown: path('lib/ses-boot.js'),
  lockdownDebug: path('lib/ses-boot-debug.js'),
  objectInspect: path('lib/object-inspect.js'),
};
