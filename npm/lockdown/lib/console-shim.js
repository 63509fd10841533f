// A console for an engine that has only print(). It is made before lockdown, so
// that lockdown tames it like any other.

let textOf = String;

/**
 * Sets how a value that is no string becomes text.
 *
 * @param {(value: unknown) => string} inspector
 */
export const setObjectInspector = inspector => {
  textOf = inspector;
};

// print is looked up each time: a supervisor replaces it. Without one nothing is
// printed.
const write = (...values) => {
  if (typeof print !== 'function') return;
  const texts = [];
  for (const value of values) {
    texts.push(typeof value === 'string' ? value : textOf(value));
  }
  print(...texts);
};

const ignore = () => {};

const written = ['debug', 'log', 'info', 'warn', 'error'];
const ignored = [
  'assert', 'clear', 'count', 'countReset', 'dir', 'dirxml', 'group',
  'groupCollapsed', 'groupEnd', 'profile', 'profileEnd', 'table', 'time',
  'timeEnd', 'timeLog', 'timeStamp', 'trace',
];

globalThis.console = Object.fromEntries([
  ...written.map(name => [name, write]),
  ...ignored.map(name => [name, ignore]),
]);
