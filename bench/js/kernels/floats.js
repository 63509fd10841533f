// Numbers: the orbits of planets, a spectral norm, and points of the Mandelbrot set.
function kernel() {
  const bodies = [
    { x: 0, y: 0, z: 0, vx: 0, vy: 0, vz: 0, mass: 39.47 },
    { x: 4.84, y: -1.16, z: -0.1, vx: 0.606, vy: 2.81, vz: -0.02, mass: 0.037 },
    { x: 8.34, y: 4.12, z: -0.4, vx: -1.01, vy: 1.82, vz: 0.008, mass: 0.011 },
    { x: 12.89, y: -15.11, z: -0.22, vx: 1.08, vy: 0.868, vz: -0.01, mass: 0.0017 },
  ];
  for (let step = 0; step < 800; step++) {
    for (let i = 0; i < bodies.length; i++) {
      const a = bodies[i];
      for (let j = i + 1; j < bodies.length; j++) {
        const b = bodies[j];
        const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
        const d2 = dx * dx + dy * dy + dz * dz;
        const mag = 0.01 / (d2 * Math.sqrt(d2));
        a.vx -= dx * b.mass * mag; a.vy -= dy * b.mass * mag; a.vz -= dz * b.mass * mag;
        b.vx += dx * a.mass * mag; b.vy += dy * a.mass * mag; b.vz += dz * a.mass * mag;
      }
    }
    for (const b of bodies) { b.x += 0.01 * b.vx; b.y += 0.01 * b.vy; b.z += 0.01 * b.vz; }
  }
  const size = 40;
  let u = new Float64Array(size).fill(1);
  for (let round = 0; round < 6; round++) {
    const v = new Float64Array(size);
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) v[i] += u[j] / (((i + j) * (i + j + 1)) / 2 + i + 1);
    u = v;
  }
  let inside = 0;
  for (let py = -10; py < 10; py++) {
    for (let px = -20; px < 10; px++) {
      let x = 0, y = 0, n = 0;
      while (x * x + y * y < 4 && n < 50) { const t = x * x - y * y + px / 10; y = 2 * x * y + py / 10; x = t; n++; }
      if (n === 50) inside++;
    }
  }
  return [bodies[0].x.toFixed(9), u[7].toFixed(9), inside].join();
}
