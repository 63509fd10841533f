// Constraints in the manner of DeltaBlue: variables, constraints of several strengths
// that say how one follows from another, and plans that are made and carried out.
function kernel() {
  const REQUIRED = 0, STRONG = 1, NORMAL = 3, WEAKEST = 6;
  class Variable {
    constructor(value) { this.value = value; this.constraints = []; this.by = null; this.mark = 0; this.strength = WEAKEST; this.stays = true; }
    drop(c) { this.constraints = this.constraints.filter((other) => other !== c); if (this.by === c) this.by = null; }
  }
  class Constraint {
    constructor(strength, ...variables) { this.strength = strength; this.variables = variables; this.out = -1; }
    get output() { return this.variables[this.out]; }
    satisfied() { return this.out >= 0; }
    *inputs() { for (let n = 0; n < this.variables.length; n++) if (n !== this.out) yield this.variables[n]; }
    choose(mark) {
      this.out = -1;
      let weakest = this.strength;
      for (const n of this.outputs()) {
        const v = this.variables[n];
        if (v.mark !== mark && v.strength > weakest) { weakest = v.strength; this.out = n; }
      }
    }
    inputsKnown(mark) {
      for (const v of this.inputs()) if (!(v.mark === mark || v.stays || v.by === null)) return false;
      return true;
    }
    recalculate() {
      const out = this.output;
      out.strength = this.strength;
      out.stays = !this.isInput();
      for (const v of this.inputs()) { out.strength = Math.max(out.strength, v.strength); out.stays &&= v.stays; }
      if (out.stays) this.execute();
    }
    isInput() { return false; }
  }
  class Stay extends Constraint { outputs() { return [0]; } execute() {} }
  class Edit extends Constraint { outputs() { return [0]; } execute() {} isInput() { return true; } }
  class Equal extends Constraint { outputs() { return [0, 1]; } execute() { this.output.value = this.variables[1 - this.out].value; } }
  class Scale extends Constraint {
    outputs() { return [0, 3]; }
    execute() {
      const [source, factor, offset, target] = this.variables;
      if (this.out === 3) target.value = source.value * factor.value + offset.value;
      else source.value = (target.value - offset.value) / factor.value;
    }
  }
  class Planner {
    constructor() { this.mark = 0; this.steps = 0; }
    add(c) {
      for (const v of c.variables) v.constraints.push(c);
      const mark = ++this.mark;
      for (let next = c; next !== null; ) next = this.satisfy(next, mark);
      return c;
    }
    satisfy(c, mark) {
      c.choose(mark);
      if (!c.satisfied()) { if (c.strength === REQUIRED) throw new Error('cannot satisfy what is required'); return null; }
      for (const v of c.inputs()) v.mark = mark;
      const out = c.output, before = out.by;
      if (before !== null) before.out = -1;
      out.by = c;
      this.propagate(c, mark);
      out.mark = mark;
      return before;
    }
    propagate(c, mark) {
      const todo = [c];
      while (todo.length > 0) {
        const next = todo.pop();
        this.steps++;
        if (next.output.mark === mark) continue;
        next.recalculate();
        this.follow(next.output, todo);
      }
    }
    follow(v, into) { for (const c of v.constraints) if (c !== v.by && c.satisfied()) into.push(c); }
    remove(c) {
      const out = c.satisfied() ? c.output : null;
      c.out = -1;
      for (const v of c.variables) v.drop(c);
      if (out === null) return;
      out.by = null; out.strength = WEAKEST; out.stays = true;
      const lost = [], todo = [out];
      while (todo.length > 0) {
        const v = todo.pop();
        for (const other of v.constraints) if (!other.satisfied()) lost.push(other);
        const next = [];
        this.follow(v, next);
        for (const other of next) { other.recalculate(); todo.push(other.output); }
      }
      lost.sort((a, b) => a.strength - b.strength);
      for (const other of lost) if (!other.satisfied()) { const mark = ++this.mark; for (let next = other; next !== null; ) next = this.satisfy(next, mark); }
    }
    plan(source) {
      const mark = ++this.mark, plan = [], todo = [source];
      while (todo.length > 0) {
        const c = todo.pop();
        if (c.output.mark !== mark && c.inputsKnown(mark)) { plan.push(c); c.output.mark = mark; this.follow(c.output, todo); }
      }
      return plan;
    }
    change(v, values) {
      const edit = this.add(new Edit(STRONG, v)), plan = this.plan(edit);
      for (const value of values) { v.value = value; for (const c of plan) c.execute(); }
      this.remove(edit);
    }
  }
  const results = [];
  {
    const planner = new Planner(), all = Array.from({ length: 120 }, () => new Variable(0));
    for (let n = 1; n < all.length; n++) planner.add(new Equal(REQUIRED, all[n - 1], all[n]));
    planner.add(new Stay(NORMAL, all[all.length - 1]));
    planner.change(all[0], Array.from({ length: 30 }, (_, n) => n));
    results.push(all[all.length - 1].value, planner.steps);
  }
  {
    const planner = new Planner(), factor = new Variable(10), offset = new Variable(1000), sources = [], targets = [];
    for (let n = 0; n < 120; n++) {
      sources.push(new Variable(n));
      targets.push(new Variable(n));
      planner.add(new Stay(NORMAL, sources[n]));
      planner.add(new Scale(REQUIRED, sources[n], factor, offset, targets[n]));
    }
    planner.change(sources[0], [17]);
    results.push(targets[0].value);
    planner.change(targets[1], [1050]);
    results.push(sources[1].value);
    planner.change(factor, [5, 6, 7]);
    planner.change(offset, [2000, 2001]);
    results.push(targets.reduce((sum, v) => sum + v.value, 0), planner.steps);
  }
  return results.join();
}
