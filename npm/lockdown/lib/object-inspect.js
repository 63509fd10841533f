// A value as text on one line, much as node prints it:
//
//     [ 'it\'s', 1_234n, Map (1) {'a' => { b: [Circular] }} ]
//
// It uses nothing but the language, and takes what it needs of it when it is
// loaded.

const {
  getOwnPropertyDescriptor,
  getOwnPropertySymbols,
  getPrototypeOf,
  hasOwn,
  keys,
} = Object;
const { apply } = Reflect;

// Objects below so many others are not shown.
const DEPTH = 5;

const method = (type, name) => {
  const { value, get } = getOwnPropertyDescriptor(type.prototype, name);
  const call = value || get;
  return (self, ...args) => apply(call, self, args);
};
const symbolString = method(Symbol, 'toString');
const held = [Number, String, Boolean, BigInt, Symbol].map(type => method(type, 'valueOf'));
const isEnumerable = method(Object, 'propertyIsEnumerable');
const classOf = method(Object, 'toString');
const mapSize = method(Map, 'size');
const mapEach = method(Map, 'forEach');
const setSize = method(Set, 'size');
const setEach = method(Set, 'forEach');
const weakMapHas = method(WeakMap, 'has');
const weakSetHas = method(WeakSet, 'has');
const timeOf = method(Date, 'getTime');
const dateText = method(Date, 'toISOString');
const patternOf = method(RegExp, 'source');
const patternText = method(RegExp, 'toString');

// answers tells whether a built-in method takes a value as one of its own.
const answers = (call, value) => {
  try {
    call(value);
    return true;
  } catch (_) {
    return false;
  }
};

const escapes = {
  "'": "\\'", '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t',
};
const escaped = c =>
  escapes[c] || `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
const quoted = text => `'${text.replace(/['\\\u0000-\u001f]/g, escaped)}'`;

const symbolText = symbol => {
  const key = Symbol.keyFor(symbol);
  return key === undefined ? symbolString(symbol) : `Symbol.for(${key})`;
};

const primitiveText = value => {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'symbol':
      return symbolText(value);
    case 'bigint':
      return `${`${value}`.replace(/\B(?=(\d{3})+$)/g, '_')}n`;
    default:
      return Object.is(value, -0) ? '-0' : `${value}`;
  }
};

// boxed is the text of an object made of a primitive value.
const boxed = object => {
  const valueOf = held.find(call => answers(call, object));
  return valueOf && `Object(${primitiveText(valueOf(object))})`;
};

const keyText = key => (/^[\w$]+$/.test(key) ? key : quoted(key));

// A Writer writes one value. What it is inside of is in above: an object that
// holds itself is written once.
const writer = depth => {
  const above = [];

  const inside = (object, write) => {
    above.push(object);
    try {
      return write();
    } finally {
      above.pop();
    }
  };

  // properties are the object's own ones that can be enumerated, strings first.
  const properties = (object, isShown) => {
    const all = [];
    for (const key of keys(object)) {
      if (isShown(key)) all.push(`${keyText(key)}: ${text(object[key])}`);
    }
    for (const key of getOwnPropertySymbols(object)) {
      if (isEnumerable(object, key)) {
        all.push(`[${symbolText(key)}]: ${text(object[key])}`);
      }
    }
    return all;
  };
  const any = () => true;
  const braces = all => (all.length > 0 ? `{ ${all.join(', ')} }` : '{}');

  const functionText = call => {
    const { name } = call;
    const title = name ? `[Function: ${String(name)}]` : '[Function (anonymous)]';
    const all = inside(call, () => properties(call, any));
    return all.length > 0 ? `${title} ${braces(all)}` : title;
  };

  const arrayText = array => {
    const { length } = array;
    const all = [];
    for (let i = 0; i < length; i += 1) {
      all.push(hasOwn(array, i) ? text(array[i]) : '');
    }
    const isIndex = key => /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < length;
    all.push(...properties(array, key => !isIndex(key)));
    return all.length > 0 ? `[ ${all.join(', ')} ]` : '[]';
  };

  const errorText = error => {
    const all = properties(error, any);
    if (hasOwn(error, 'cause') && !isEnumerable(error, 'cause')) {
      all.unshift(`[cause]: ${text(error.cause)}`);
    }
    return all.length > 0 ? `{ [${error}] ${all.join(', ')} }` : `[${error}]`;
  };

  const mapText = map => {
    const all = [];
    mapEach(map, (value, key) => all.push(`${text(key)} => ${text(value)}`));
    return `Map (${mapSize(map)}) {${all.join(', ')}}`;
  };

  const setText = set => {
    const all = [];
    setEach(set, value => all.push(text(value)));
    return `Set (${setSize(set)}) {${all.join(', ')}}`;
  };

  // titleOf says what an object is, if that is more than an object: its
  // constructor's name, its tag, and whether it has no prototype to speak of.
  const titleOf = object => {
    if (getPrototypeOf(object) === Object.prototype) return '';
    const inherits = object instanceof Object;
    const tags = [];
    if (Symbol.toStringTag in object) {
      tags.push(object[Symbol.toStringTag]);
    } else if (!inherits) {
      tags.push('Object');
    }
    if (!inherits) tags.push('null prototype');
    const { constructor } = object;
    const name = typeof constructor === 'function' ? constructor.name : '';
    return (name ? `${String(name)} ` : '') + (tags.length > 0 ? `[${tags.join(': ')}] ` : '');
  };

  const objectText = object => {
    if (Array.isArray(object)) return arrayText(object);
    if (object instanceof Error && !(Symbol.toStringTag in object)) return errorText(object);
    if (answers(mapSize, object)) return mapText(object);
    if (answers(setSize, object)) return setText(object);
    if (answers(weakMapHas, object)) return 'WeakMap { ? }';
    if (answers(weakSetHas, object)) return 'WeakSet { ? }';
    // Asking a WeakRef would keep its target alive.
    if (classOf(object) === '[object WeakRef]') return 'WeakRef { ? }';
    if (answers(timeOf, object)) {
      return Number.isNaN(timeOf(object)) ? 'Invalid Date' : dateText(object);
    }
    if (object !== RegExp.prototype && answers(patternOf, object)) return patternText(object);
    return boxed(object) || titleOf(object) + braces(properties(object, any));
  };

  const text = value => {
    const isFunction = typeof value === 'function';
    if (!isFunction && (typeof value !== 'object' || value === null)) return primitiveText(value);
    if (!isFunction && above.length >= depth) return Array.isArray(value) ? '[Array]' : '[Object]';
    if (above.includes(value)) return '[Circular]';
    return isFunction ? functionText(value) : inside(value, () => objectText(value));
  };
  return text;
};

/**
 * The text of a value. It throws nothing, whatever the value does: what cannot
 * be inspected is said to be so.
 *
 * @param {unknown} value
 * @param {{ depth?: number }} [options]
 * @returns {string}
 */
const objectInspect = (value, { depth = DEPTH } = {}) => {
  try {
    return writer(depth)(value);
  } catch (thrown) {
    let reason = 'throw';
    try {
      reason = writer(depth)(thrown);
    } catch (_) {
      // It says no more.
    }
    return `[cannot inspect (${typeof value}) due to ${reason}]`;
  }
};

export default Object.freeze(objectInspect);
