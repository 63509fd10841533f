// A ray tracer: spheres over a floor, with shadows and reflections, in small objects.
function kernel() {
  class Vector {
    constructor(x, y, z) { this.x = x; this.y = y; this.z = z; }
    plus(v) { return new Vector(this.x + v.x, this.y + v.y, this.z + v.z); }
    minus(v) { return new Vector(this.x - v.x, this.y - v.y, this.z - v.z); }
    times(n) { return new Vector(this.x * n, this.y * n, this.z * n); }
    dot(v) { return this.x * v.x + this.y * v.y + this.z * v.z; }
    unit() { return this.times(1 / Math.sqrt(this.dot(this))); }
  }
  class Sphere {
    constructor(center, radius, shine, tone) { Object.assign(this, { center, radius, shine, tone }); }
    distance(from, along) {
      const to = this.center.minus(from), b = to.dot(along), d = b * b - to.dot(to) + this.radius * this.radius;
      if (d < 0) return Infinity;
      const near = b - Math.sqrt(d);
      return near > 1e-6 ? near : Infinity;
    }
    normal(at) { return at.minus(this.center).unit(); }
  }
  class Floor {
    constructor(y) { this.y = y; this.shine = 0.2; }
    distance(from, along) { return along.y < -1e-6 ? (this.y - from.y) / along.y : Infinity; }
    normal() { return new Vector(0, 1, 0); }
    get tone() { return 0.6; }
  }
  const things = [new Floor(-1), new Sphere(new Vector(0, 0, 5), 1, 0.4, 0.9), new Sphere(new Vector(1.5, -0.4, 4), 0.6, 0.1, 0.7), new Sphere(new Vector(-1.6, 0.3, 6), 1.2, 0.6, 0.5)];
  const light = new Vector(4, 6, -2);
  const hit = (from, along) => {
    let nearest = Infinity, what = null;
    for (const thing of things) {
      const d = thing.distance(from, along);
      if (d < nearest) { nearest = d; what = thing; }
    }
    return { nearest, what };
  };
  const trace = (from, along, depth) => {
    const { nearest, what } = hit(from, along);
    if (what === null) return 0.1 + 0.3 * Math.max(0, along.y);
    const at = from.plus(along.times(nearest)), normal = what.normal(at), toLight = light.minus(at).unit();
    let shade = 0.1;
    if (hit(at.plus(normal.times(1e-4)), toLight).what === null) shade += Math.max(0, normal.dot(toLight)) * what.tone;
    if (depth > 0 && what.shine > 0) {
      const reflected = along.minus(normal.times(2 * along.dot(normal)));
      shade = shade * (1 - what.shine) + what.shine * trace(at.plus(normal.times(1e-4)), reflected, depth - 1);
    }
    return shade;
  };
  let sum = 0;
  for (let y = 0; y < 28; y++) for (let x = 0; x < 36; x++) sum += trace(new Vector(0, 0.5, -1), new Vector((x - 18) / 20, (14 - y) / 20, 1).unit(), 2);
  return sum.toFixed(6);
}
