// The colour of light that a prism bends so far, for a language with types.
type Colour = "red" | "orange" | "yellow" | "green" | "blue" | "indigo" | "violet";

const order: readonly Colour[] = ["red", "orange", "yellow", "green", "blue", "indigo", "violet"];

export function shade(refraction: number): Colour {
  const least = 77 / 50;
  const most = 78 / 50;
  const place = Math.floor(((refraction - least) / (most - least)) * order.length);
  return order[Math.min(Math.max(place, 0), order.length - 1)];
}
