// Where things are, for who builds them and for who reads them.
import { fileURLToPath } from 'node:url';

const path = below => fileURLToPath(new URL(`../${below}`, import.meta.url));

export const bundlePaths = { supervisor: path('dist/supervisor.bundle') };

export const hashPaths = { supervisor: path('dist/supervisor.bundle.sha256') };
