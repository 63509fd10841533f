// The start compartment: a console, lockdown, and an inspector for the console.
import { setObjectInspector } from './console-shim.js';
import '@endo/init';
import objectInspect from './confined-object-inspect.js';

setObjectInspector(objectInspect);
harden(console);
