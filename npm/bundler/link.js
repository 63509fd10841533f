// Links the modules of an archive and gives what the entry exports. A module is
//
//   { run, imports: { specifier: index }, exports: { name: [local] },
//     live: { name: [local] }, reexports: { specifier: [[name, as]] }, all: [specifier] }
//
// of an ES module, as Endo has prepared it; { run, imports, common: true } of
// CommonJS; { value } of data; { host } of a module of the host.
(modules, entry, host) => {
  'use strict';
  const { create, defineProperty, freeze, keys } = Object;
  const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

  // A cell is a variable that others import.
  const makeCell = name => {
    let isSet = false;
    let value;
    const observers = [];
    return freeze({
      get: () => {
        if (!isSet) throw new ReferenceError(`binding ${JSON.stringify(name)} not yet initialized`);
        return value;
      },
      set: newValue => {
        value = newValue;
        isSet = true;
        for (const observe of observers) observe(newValue);
        return newValue;
      },
      observe: observer => {
        observers.push(observer);
        if (isSet) observer(value);
      },
    });
  };

  const instances = modules.map(() => undefined);

  const fill = (namespace, cells) => {
    for (const name of keys(cells).sort()) {
      defineProperty(namespace, name, { get: cells[name].get, enumerable: true });
    }
    return freeze(namespace);
  };

  // Cells of a module whose exports are a value: the value is the default, and
  // its properties are there by name.
  const cellsOf = value => {
    const cells = create(null);
    const add = (name, of) => {
      if (has(cells, name)) return;
      cells[name] = makeCell(name);
      cells[name].set(of);
    };
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (isObject && value.__esModule && has(value, 'default')) add('default', value.default);
    add('default', value);
    if (isObject) for (const name of keys(value)) add(name, value[name]);
    return cells;
  };

  const instanceOf = index => {
    if (instances[index] === undefined) {
      const module = modules[index];
      const instance = { cells: create(null), namespace: create(null), begun: false, exports: undefined, thrown: undefined };
      instances[index] = instance;
      if (!module.run) {
        const value = has(module, 'host') ? host(module.host) : module.value;
        instance.begun = true;
        instance.exports = value;
        instance.cells = cellsOf(value);
        fill(instance.namespace, instance.cells);
      } else if (!module.common) {
        for (const name of keys(module.exports)) instance.cells[name] = makeCell(name);
        for (const name of keys(module.live)) instance.cells[name] = makeCell(name);
      }
    }
    return instances[index];
  };

  const importOf = (module, specifier) => {
    if (!has(module.imports, specifier)) throw new Error(`Cannot find module '${specifier}'`);
    return module.imports[specifier];
  };

  const runCommon = (module, instance) => {
    const box = { exports: {} };
    instance.exports = box.exports;
    const require = specifier => {
      const index = importOf(module, specifier);
      const needed = execute(index);
      return modules[index].run && !modules[index].common ? needed.namespace : needed.exports;
    };
    const set = value => {
      box.exports = value;
      instance.exports = value;
    };
    const exposed = {};
    defineProperty(exposed, 'exports', { get: () => box.exports, set, enumerable: true });
    module.run({}).call(box.exports, require, box.exports, exposed, module.file, module.file.replace(/\/[^/]*$/, ''));
    instance.cells = cellsOf(box.exports);
    fill(instance.namespace, instance.cells);
  };

  const runModule = (module, instance) => {
    const { cells, namespace } = instance;
    const once = create(null);
    const live = create(null);
    for (const [setters, names] of [[once, module.exports], [live, module.live]]) {
      const locals = create(null);
      for (const name of keys(names)) {
        const [local] = names[name];
        (locals[local] = locals[local] || []).push(cells[name]);
      }
      for (const local of keys(locals)) {
        setters[local] = freeze(value => {
          for (const cell of locals[local]) cell.set(value);
          return value;
        });
      }
    }
    const imports = records => {
      const found = create(null); // by export *, false if by more than one
      for (const [specifier, wanted] of records) {
        const needed = execute(importOf(module, specifier));
        for (const [name, updaters] of wanted) {
          for (const update of updaters) {
            if (name === '*') update(needed.namespace);
            else if (name in needed.cells) needed.cells[name].observe(update);
            else throw new SyntaxError(`The requested module '${specifier}' does not provide an export named '${name}'`);
          }
        }
        if (module.all.includes(specifier)) {
          for (const name of keys(needed.cells)) {
            if (name !== 'default') found[name] = name in found ? false : needed.cells[name];
          }
        }
        for (const [name, as] of module.reexports[specifier] || []) {
          if (as in cells) continue;
          if (name === '*') {
            cells[as] = makeCell(as);
            cells[as].set(needed.namespace);
          } else if (name in needed.cells) {
            cells[as] = needed.cells[name];
          } else {
            throw new SyntaxError(`The requested module '${specifier}' does not provide an export named '${name}'`);
          }
        }
      }
      for (const name of keys(found)) {
        if (!(name in cells) && found[name]) cells[name] = found[name];
      }
      fill(namespace, cells);
    };
    const lexicals = create(null);
    for (const name of keys(module.live)) {
      const [local] = module.live[name];
      defineProperty(lexicals, local, {
        get: cells[name].get,
        set: value => {
          cells[name].get(); // not before it is declared
          live[local](value);
        },
        configurable: true,
      });
    }
    module.run(lexicals)(
      freeze({
        imports: freeze(imports),
        onceVar: freeze(once),
        liveVar: freeze(live),
        import: async specifier => execute(importOf(module, specifier)).namespace,
        importMeta: create(null),
      }),
    );
  };

  const execute = index => {
    const instance = instanceOf(index);
    if (!instance.begun) {
      instance.begun = true;
      try {
        (modules[index].common ? runCommon : runModule)(modules[index], instance);
      } catch (error) {
        instance.thrown = { error };
      }
    }
    if (instance.thrown) throw instance.thrown.error;
    return instance;
  };

  return execute(entry).namespace;
}
