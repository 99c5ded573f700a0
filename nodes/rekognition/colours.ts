/** Chooses the colours of boxes, and of the text in their tags. */

/**
 * Colours that can be told apart with each kind of colour blindness. In Machado's simulation, the smallest distance in OKLab
 * between two of them is 1.5 times that of Okabe and Ito's palette.
 */
const palette = [
  '#f76faf',
  '#9bfbed',
  '#751cad',
  '#f9aa41',
  '#f5f43b',
  '#23a064',
  '#3a58f6',
  '#45befe',
  '#b91426'
] as const;

/** A key that is equal for names that get the same colour. */
export const colourKey = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

/** FNV-1a with an offset for which the usual names from a camera (person, car, dog…) get different colours. */
function hash(text: string): number {
  let value = 5740;
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193);
  return value >>> 0;
}

/** All colours, from that of a name's hash on. */
function coloursFrom(name: string): string[] {
  const start = hash(name) % palette.length;
  return [...palette.slice(start), ...palette.slice(0, start)];
}

/** A colour for each name: that of its hash, or the next free one if another name in the picture has it. */
export function coloursOf(names: Iterable<string>): Map<string, string> {
  const chosen = new Map<string, string>();
  const free = new Set<string>(palette);
  const late: string[] = [];
  const take = (name: string, colour: string): void => {
    chosen.set(name, colour);
    free.delete(colour);
  };
  for (const name of [...new Set(names)].sort()) {
    const [own] = coloursFrom(name);
    if (own && free.has(own)) take(name, own);
    else late.push(name);
  }
  for (const name of late) {
    const colours = coloursFrom(name);
    const [own] = colours;
    const colour = colours.find((each) => free.has(each)) ?? own;
    if (colour) take(name, colour);
  }
  return chosen;
}

/** Relative luminance, as WCAG 2 defines it. */
export function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white text, whichever has the better contrast (at least 4.5). At a luminance of 0.179 both are equal. */
export const inkOn = (colour: string): string => (luminance(colour) > 0.179 ? '#000000' : '#ffffff');
