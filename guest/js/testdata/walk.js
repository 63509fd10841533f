// Every object that is reachable from a root, and each of its properties: a line
// for each, under the path by which it was first met.
(root, extra) => {
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const { isFrozen } = Object;
  const paths = new Map();
  const lines = [];
  const queue = [];
  const isObject = (v) => (typeof v === 'object' ? v !== null : typeof v === 'function');
  const name = (path, key) =>
    typeof key === 'symbol' ? `${path}[${String(key).replace(/^Symbol\((.*)\)$/, '@@$1')}]` : `${path}.${key}`;
  const meet = (v, path) => {
    if (!isObject(v)) return typeof v;
    if (!paths.has(v)) {
      paths.set(v, path);
      queue.push(v);
      return typeof v;
    }
    return `= ${paths.get(v)}`;
  };
  meet(root, 'globalThis');
  for (const [path, value] of Object.entries(extra)) meet(value, path);
  for (let n = 0; n < queue.length; n++) {
    const object = queue[n];
    const path = paths.get(object);
    if (path !== 'globalThis' && !isFrozen(object)) lines.push(`${path} is not frozen`);
    const proto = getPrototypeOf(object);
    if (proto !== null && !paths.has(proto)) lines.push(`${path}.__proto__ ${meet(proto, `${path}.__proto__`)}`);
    for (const key of ownKeys(object)) {
      const d = getOwnPropertyDescriptor(object, key);
      const at = name(path, key);
      if ('value' in d) lines.push(`${at} ${meet(d.value, at)}`);
      else {
        if (d.get) lines.push(`${at} get ${meet(d.get, `get ${at}`)}`);
        if (d.set) lines.push(`${at} set ${meet(d.set, `set ${at}`)}`);
      }
    }
  }
  return lines.sort().join('\n');
};
