// The start compartment as in ses-boot.js, easier to debug and less safe.
import { setObjectInspector } from './console-shim.js';
import '@endo/init/debug.js';
import objectInspect from './confined-object-inspect.js';

setObjectInspector(objectInspect);
harden(console);
