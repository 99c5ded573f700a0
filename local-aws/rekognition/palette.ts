/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** What `drawings` can draw and `vision` finds again by its colour. */
export type Kind =
  | 'person'
  | 'car'
  | 'dog'
  | 'cat'
  | 'bicycle'
  | 'parcel'
  | 'bottle'
  | 'dice'
  | 'sign'
  | 'face'
  | 'hardHat'
  | 'mask'
  | 'glove';

/** Somebody with a face: its colour is who it is. */
export interface Person {
  readonly name: string;
  readonly face: Colour;
  readonly hair: Colour;
  readonly cut: 'short' | 'long' | 'bun' | 'bald' | 'curly';
  readonly coat: Colour;
  readonly age: number;
  readonly gender: 'Female' | 'Male';
  readonly beard?: boolean;
}

/** Somebody whom everybody knows. */
export interface Celebrity extends Person {
  readonly id: string;
  readonly urls: readonly string[];
}

/** Coats of people. Two who overlap are told apart only in coats of different colours. */
export const coats = { red: [208, 64, 60], violet: [126, 74, 166], green: [20, 140, 110] } as const satisfies Record<
  string,
  Colour
>;

/** People who can be indexed and found: the colours of their faces differ a lot. */
export const people = {
  anna: person('Anna', [252, 206, 176], [150, 44, 30], 'long', coats.red, 31, 'Female'),
  ben: person('Ben', [136, 84, 56], [28, 26, 48], 'short', coats.green, 44, 'Male', true),
  chris: person('Chris', [228, 162, 118], [30, 28, 52], 'curly', coats.violet, 27, 'Male'),
  dora: person('Dora', [92, 56, 44], [24, 22, 46], 'bun', coats.violet, 36, 'Female'),
  emil: person('Emil', [244, 160, 172], [176, 186, 206], 'bald', coats.green, 68, 'Male', true),
  fay: person('Fay', [176, 100, 72], [30, 28, 52], 'long', coats.green, 22, 'Female'),
  gus: person('Gus', [214, 108, 100], [104, 112, 128], 'short', coats.red, 52, 'Male')
} as const;

/** Celebrities that nobody else knows. */
export const celebrities = {
  aurora: famous(
    person('Aurora Finch', [250, 190, 90], [90, 30, 110], 'bun', coats.violet, 41, 'Female'),
    '1Lo4ca1',
    'aurora-finch'
  ),
  rex: famous(
    person('Rex Marlow', [150, 110, 110], [28, 28, 50], 'short', coats.red, 49, 'Male'),
    '2Lo4ca2',
    'rex-marlow'
  ),
  selma: famous(
    person('Selma Quist', [208, 186, 200], [246, 232, 150], 'long', coats.green, 35, 'Female'),
    '3Lo4ca3',
    'selma-quist'
  )
} as const;

/** Trousers, whoever wears them. They are no kind of their own: they tell how far down a person goes. */
export const trousers: Colour = [44, 54, 96];

/** The colours by which each kind is found. No background has one of them. */
export const markers: Readonly<Record<Kind, readonly Colour[]>> = {
  person: Object.values(coats),
  car: [
    [38, 118, 208],
    [0, 172, 178]
  ],
  dog: [[206, 148, 40]],
  cat: [[238, 120, 30]],
  bicycle: [[226, 40, 120]],
  parcel: [[184, 144, 84]],
  bottle: [[22, 92, 58]],
  dice: [[150, 10, 70]],
  sign: [[255, 246, 196]],
  face: [...Object.values(people), ...Object.values(celebrities)].map(({ face }) => face),
  hardHat: [[250, 210, 20]],
  mask: [[110, 200, 230]],
  glove: [[84, 60, 214]]
};

/** Eyes, mouths, wheels and letters. */
export const ink: Colour = [43, 34, 51];

/** How far two colours are apart, 0 to 441. */
export function distance(one: Colour, other: Colour): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

function person(
  name: string,
  face: Colour,
  hair: Colour,
  cut: Person['cut'],
  coat: Colour,
  age: number,
  gender: Person['gender'],
  beard = false
): Person {
  return { name, face, hair, cut, coat, age, gender, beard };
}

function famous(who: Person, id: string, page: string): Celebrity {
  return { ...who, id, urls: [`www.example.com/${page}`] };
}
