function getExport(require, ...a){ 
  const Far=(name,o)=>{const p=Object.create(Object.prototype,{[Symbol.for('passStyle')]:{value:'remotable'},[Symbol.toStringTag]:{value:'Alleged: '+name}}); Object.setPrototypeOf(o,p); return harden(o)};
  return { buildRootObject(vatPowers, vatParameters, baggage){ console.log('build', Object.keys(vatPowers).join(), JSON.stringify(vatParameters));
    baggage.init('count', 0n);
    return Far('root', {
      inc() { const count = baggage.get('count') + 1n; baggage.set('count', count); return count; },
      hello(friend) { return HandledPromise.applyMethod(friend, 'greet', ['hi']); },
    });
  } };
}
