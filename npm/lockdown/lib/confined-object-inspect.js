// The inspector in a compartment of its own, whose globals are frozen: it has no
// powers, and nothing that happens to the globals of the start compartment
// changes it.
import bundle from '../dist/object-inspect.js';

const compartment = new Compartment();
harden(compartment.globalThis);

export default harden(compartment.evaluate(`(${bundle.source}\n)()`).default);
