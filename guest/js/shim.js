// The start compartment of a worker, before any other code runs in it: globals
// as xsnap has them, over the functions of the host, and nothing of the engine
// that ECMAScript or SES does not know.
//
// What is called later captures here what it needs. User code may replace every
// global and every method before that: so nothing below the captures looks up a
// property of a builtin, iterates, or writes to an index that a prototype could
// have a setter for.
(host) => {
  'use strict';

  const { apply, construct, defineProperty, deleteProperty, getOwnPropertyDescriptor, ownKeys, setPrototypeOf } = Reflect;
  const { assign, freeze } = Object;
  const global = globalThis;
  const text = String;
  const MakeError = Error;
  const MakeTypeError = TypeError;
  const MakeRangeError = RangeError;
  const Bytes = Uint8Array;
  const Buffer = ArrayBuffer;
  const getter = (of, name) => getOwnPropertyDescriptor(of, name).get;
  const typed = Object.getPrototypeOf(Bytes.prototype);
  const { isView } = Buffer;
  const typeName = getter(typed, Symbol.toStringTag);
  const getByteLength = getter(Buffer.prototype, 'byteLength');
  const getView = {
    __proto__: null,
    buffer: getter(typed, 'buffer'),
    offset: getter(typed, 'byteOffset'),
    length: getter(typed, 'byteLength'),
  };
  const getDataView = {
    __proto__: null,
    buffer: getter(DataView.prototype, 'buffer'),
    offset: getter(DataView.prototype, 'byteOffset'),
    length: getter(DataView.prototype, 'byteLength'),
  };
  const setBytes = typed.set;
  const codePointAt = String.prototype.codePointAt;
  const trim = String.prototype.trim;
  const slice = String.prototype.slice;
  const one = [1];
  const toLowerCase = String.prototype.toLowerCase;
  const { encode, decode, decodeStrict, toBase64, fromBase64, log, warn, command, collect, now, meterLimit, meterReset, replyBytes, replyValue, replyThrown } = host;

  const isObject = (v) => (typeof v === 'object' ? v !== null : typeof v === 'function');
  const none = [];
  const isBuffer = (v) => {
    if (isView(v)) return false; // to ask first is cheaper than to catch
    try {
      apply(getByteLength, v, none);
      return true;
    } catch {
      return false;
    }
  };

  // viewOf is the bytes of a buffer or a view on one.
  const viewOf = (v) => {
    if (isView(v)) {
      const get = apply(typeName, v, none) === undefined ? getDataView : getView;
      return new Bytes(apply(get.buffer, v, none), apply(get.offset, v, none), apply(get.length, v, none));
    }
    if (isBuffer(v)) return new Bytes(v);
    throw new MakeTypeError('expected ArrayBuffer or a view on one');
  };

  // copy is a buffer of its own with some bytes of a view.
  const copy = (view, from, to) => {
    const length = to - from;
    const result = new Bytes(length);
    apply(setBytes, result, [new Bytes(apply(getView.buffer, view, none), apply(getView.offset, view, none) + from, length)]);
    return apply(getView.buffer, result, none);
  };

  // describe is an exception as text; an exception of that is no help to anyone.
  const describe = (e) => {
    try {
      return text(e);
    } catch {
      return 'an exception that has no text';
    }
  };
  const stackOf = (e) => {
    try {
      const stack = isObject(e) ? e.stack : undefined;
      return typeof stack === 'string' ? stack : '';
    } catch {
      return '';
    }
  };

  // ---- globals ----

  // Each is defined in an object literal, so that it is no constructor.
  const globals = {
    __proto__: null,

    print(...args) {
      let line = '';
      for (let n = 0; n < args.length; n++) line += (n > 0 ? ' ' : '') + text(args[n]);
      log(line);
    },

    issueCommand(message) {
      if (!isBuffer(message)) throw new MakeTypeError('expected ArrayBuffer');
      const answer = command(message);
      if (typeof answer === 'string') throw new MakeError(answer);
      return answer;
    },

    setImmediate(callback, ...args) {
      if (typeof callback !== 'function') throw new MakeTypeError('callback is no function');
      const job = { __proto__: null, callback, args, next: null };
      if (last === null) first = job;
      else last.next = job;
      last = job;
    },

    gc() {
      collect();
    },

    currentMeterLimit() {
      return meterLimit();
    },

    resetMeter(newLimit, newIndex) {
      if (arguments.length < 2) throw new MakeTypeError('expected newMeterLimit, newMeterIndex');
      return meterReset(+newLimit, +newIndex);
    },

    performance: {
      now() {
        return now();
      },
    },

    Base64: {
      encode(bytes) {
        if (!isBuffer(bytes)) throw new MakeTypeError('expected ArrayBuffer');
        return toBase64(bytes);
      },
      decode(string) {
        return fromBase64(text(string));
      },
    },

    TextEncoder: class TextEncoder {
      get encoding() {
        return 'utf-8';
      }
      encode(string = '') {
        return new Bytes(encode(typeof string === 'string' ? string : text(string)));
      }
      encodeInto(string, destination) {
        string = text(string);
        const room = apply(getView.length, destination, none);
        const target = viewOf(destination);
        let read = 0;
        let written = 0;
        while (read < string.length) {
          let c = apply(codePointAt, string, [read]);
          const units = c > 0xffff ? 2 : 1;
          if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd;
          const size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
          if (written + size > room) break;
          if (size === 1) target[written] = c;
          else {
            for (let n = size - 1; n > 0; n--, c >>>= 6) target[written + n] = 0x80 | (c & 0x3f);
            target[written] = [0, 0, 0xc0, 0xe0, 0xf0][size] | c;
          }
          read += units;
          written += size;
        }
        return { read, written };
      }
    },

    TextDecoder: class TextDecoder {
      #fatal;
      #ignoreBOM;
      #held = null; // the first bytes of a character, while streaming
      #begun = false;

      constructor(label = 'utf-8', options = undefined) {
        const name = apply(toLowerCase, apply(trim, text(label), none), none);
        if (name !== 'utf-8' && name !== 'utf8' && name !== 'unicode-1-1-utf-8') throw new MakeRangeError(`no encoding ${name}, only utf-8`);
        this.#fatal = !!options?.fatal;
        this.#ignoreBOM = !!options?.ignoreBOM;
      }
      get encoding() {
        return 'utf-8';
      }
      get fatal() {
        return this.#fatal;
      }
      get ignoreBOM() {
        return this.#ignoreBOM;
      }
      decode(input = undefined, options = undefined) {
        const stream = options !== undefined && !!options?.stream;
        let buffer;
        if (this.#held === null && !stream && isBuffer(input)) buffer = input;
        else {
          let view = input === undefined ? new Bytes(0) : viewOf(input);
          if (this.#held !== null) {
            view = join(this.#held, view);
            this.#held = null;
          }
          const length = apply(getView.length, view, none);
          const end = stream ? length - unfinished(view, length) : length;
          if (end < length) this.#held = new Bytes(copy(view, end, length));
          buffer = copy(view, 0, end);
        }
        let string = (this.#fatal ? decodeStrict : decode)(buffer);
        if (string === undefined) throw new MakeTypeError('not UTF-8');
        if (!this.#begun && !this.#ignoreBOM && string !== '' && string[0] === '\ufeff') string = apply(slice, string, one);
        this.#begun = stream && (this.#begun || string !== '');
        return string;
      }
    },
  };

  // join is a view of the bytes of two.
  const join = (a, b) => {
    const before = apply(getView.length, a, none);
    const all = new Bytes(before + apply(getView.length, b, none));
    apply(setBytes, all, [a]);
    apply(setBytes, all, [b, before]);
    return all;
  };

  // unfinished is how many bytes at the end begin a character that may go on.
  const unfinished = (view, length) => {
    for (let n = 1; n <= 3 && n <= length; n++) {
      const b = view[length - n];
      if (b >= 0xc0) return b >= (n < 2 ? 0xc2 : n < 3 ? 0xe0 : 0xf0) && b <= 0xf4 ? n : 0;
      if (b < 0x80) return 0;
    }
    return 0;
  };

  const { newRealm } = global;
  const extras = [
    [global, ['newRealm', 'queueMicrotask', 'DOMException', 'btoa', 'atob', 'performance', 'navigator', 'scriptArgs']],
    [Object, ['__getClass']],
    [Error, ['captureStackTrace', 'prepareStackTrace', 'stackTraceLimit']],
    [global.Iterator, ['zip', 'zipKeyed']],
    [global.Iterator?.prototype, ['chunks', 'windows', 'includes', 'join']],
    [Map.prototype, ['getOrInsert', 'getOrInsertComputed']],
    [WeakMap.prototype, ['getOrInsert', 'getOrInsertComputed']],
    [Function.prototype, ['columnNumber', 'lineNumber', 'fileName']],
    [ArrayBuffer.prototype, ['sliceToImmutable', 'immutable', 'transferToImmutable']],
  ];
  for (let n = 0; n < extras.length; n++) {
    const [of, names] = extras[n];
    for (let m = 0; of !== undefined && m < names.length; m++) deleteProperty(of, names[m]);
  }

  // Errors that only the engine makes are met by code in compartments, and SES
  // does not know them: they are frozen here, and do not lead to the Error of the
  // start compartment.
  for (const name of ['InternalError', 'SuppressedError']) {
    const ofEngine = global[name];
    if (ofEngine !== undefined) {
      setPrototypeOf(ofEngine, Function.prototype);
      freeze(ofEngine.prototype);
      freeze(ofEngine);
    }
  }

  // Where the engine can make realms there are compartments, with globals of their
  // own and the intrinsics of all. Lockdown brings others in their place.
  if (newRealm !== undefined) {
    const shared = { __proto__: null };
    const standard = ownKeys(global);
    for (let n = 0; n < standard.length; n++) {
      defineProperty(shared, standard[n], { __proto__: null, value: getOwnPropertyDescriptor(global, standard[n]), enumerable: true });
    }
    const own = ['globalThis', 'eval', 'Function', 'Compartment'];

    globals.Compartment = class Compartment {
      #realm;
      constructor(endowments = undefined) {
        const realm = newRealm();
        const to = realm.globalThis;
        const values = [to, realm.eval, realm.Function, Compartment];
        for (let n = 0; n < standard.length; n++) defineProperty(to, standard[n], shared[standard[n]]);
        for (let n = 0; n < own.length; n++) {
          defineProperty(to, own[n], { __proto__: null, value: values[n], writable: true, enumerable: false, configurable: true });
        }
        assign(to, isObject(endowments) && endowments.__options__ ? endowments.globals : endowments);
        this.#realm = realm;
      }
      get globalThis() {
        return this.#realm.globalThis;
      }
      evaluate(source) {
        return this.#realm.eval(text(source));
      }
    };
  }

  // Tags as those of the builtins.
  for (const name of ['TextEncoder', 'TextDecoder', 'Compartment']) {
    if (globals[name] !== undefined) {
      defineProperty(globals[name].prototype, Symbol.toStringTag, { __proto__: null, value: name, configurable: true });
    }
  }

  const names = ownKeys(globals);
  for (let n = 0; n < names.length; n++) {
    defineProperty(global, names[n], { __proto__: null, value: globals[names[n]], writable: true, enumerable: false, configurable: true });
  }

  // ---- turns ----

  let first = null; // of what setImmediate keeps
  let last = null;
  let value; // what the turn's call answered or threw
  let thrown = false;

  // tell has the console tell of an exception that is nobody's, or the host.
  const tell = (what, e) => {
    try {
      const { console } = global;
      if (console !== undefined) {
        console.error(what, e);
        return;
      }
    } catch {
      // then by the host
    }
    warn(`Unhandled exception ${describe(e)}`);
  };

  return [
    // evaluate begins a turn: source goes to what is the global eval now.
    (source) => {
      thrown = false;
      try {
        value = (0, global.eval)(source);
      } catch (e) {
        thrown = true;
        value = e;
      }
    },

    // deliver begins a turn: message goes to what is the global handleCommand now.
    (message) => {
      thrown = false;
      try {
        value = global.handleCommand(message);
      } catch (e) {
        thrown = true;
        value = e;
      }
    },

    // next goes on with a turn when no promise job is left: with what
    // setImmediate keeps, one by one, then with the reply.
    () => {
      if (first !== null) {
        const { callback, args } = first;
        first = first.next;
        if (first === null) last = null;
        try {
          apply(callback, undefined, args);
        } catch (e) {
          tell('Unhandled exception:', e);
          throw e;
        }
        return;
      }
      let result = value;
      value = undefined;
      if (thrown) {
        thrown = false;
        replyThrown(describe(result), stackOf(result), '');
        return;
      }
      let object = false;
      try {
        if (isObject(result) && 'result' in result) result = result.result;
        object = isObject(result);
      } catch (e) {
        replyThrown(describe(e), stackOf(e), 'result');
        return;
      }
      if (!object) replyValue(typeof result, text(result));
      else if (isBuffer(result)) replyBytes(result);
      else replyValue(typeof result, '');
    },

    // rejected tells of a promise that was rejected, and nobody cared.
    (reason) => tell('UnhandledPromiseRejectionWarning:', reason),
  ];
};
