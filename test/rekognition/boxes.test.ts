/** What is drawn over a picture, as its pixels have it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createCanvas } from 'canvas';
import { type Box, drawBoxes, type Mark } from '../../nodes/rekognition/boxes';
import { fontsFrom, lettering } from '../../nodes/rekognition/lettering';

type Colour = [red: number, green: number, blue: number];
const grey: Colour = [128, 128, 128];

/** The pixels of a picture. */
class Picture {
  constructor(
    readonly width: number,
    readonly height: number,
    readonly data: Uint8ClampedArray
  ) {}

  at(x: number, y: number): Colour {
    const [red, green, blue] = this.data.subarray((y * this.width + x) * 4);
    return [red ?? -1, green ?? -1, blue ?? -1];
  }

  /** Whether it is the grey that the picture was. */
  grey(x: number, y: number): boolean {
    const at = (y * this.width + x) * 4;
    return this.data[at] === 128 && this.data[at + 1] === 128 && this.data[at + 2] === 128;
  }

  /** Those for which it holds, as the rectangle around them. */
  around(holds: (x: number, y: number) => boolean): {
    count: number;
    left: number;
    top: number;
    right: number;
    bottom: number;
  } {
    const found = { count: 0, left: this.width, top: this.height, right: -1, bottom: -1 };
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) {
        if (!holds(x, y)) continue;
        found.count++;
        found.left = Math.min(found.left, x);
        found.right = Math.max(found.right, x);
        found.top = Math.min(found.top, y);
        found.bottom = Math.max(found.bottom, y);
      }
    }
    return found;
  }

  /** How often each colour is there. */
  colours(left = 0, top = 0, right = this.width, bottom = this.height): Map<string, number> {
    const counts = new Map<string, number>();
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const colour = this.grey(x, y) ? grey.join() : this.at(x, y).join();
        counts.set(colour, (counts.get(colour) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** The colour there is most of, but for the grey of the picture itself. */
  main(): string {
    const [most] = [...this.colours()].filter(([colour]) => colour !== grey.join()).sort((a, b) => b[1] - a[1]);
    return most?.[0] ?? 'none';
  }
}

const mark = (
  name: string,
  left: number,
  top: number,
  width: number,
  height: number,
  more: Partial<Mark> = {}
): Mark => ({
  name,
  caption: `${name} 97 %`,
  box: { left, top, width, height },
  counted: true,
  ...more
});

function draw(width: number, height: number, marks: Mark[], roi?: Box, [red, green, blue] = grey): Picture {
  const context = createCanvas(width, height).getContext('2d');
  context.fillStyle = `rgb(${red}, ${green}, ${blue})`;
  context.fillRect(0, 0, width, height);
  drawBoxes(context, { width, height }, marks, roi);
  return new Picture(width, height, context.getImageData(0, 0, width, height).data);
}

/** The colour of a name's box, drawn without a tag. */
const colourOf = (...names: string[]): string[] => {
  const marks = names.map((name, n) => mark(name, 0.05, n / names.length, 0.9, 0.6 / names.length, { caption: '' }));
  const picture = draw(400, 400 * names.length, marks);
  return marks.map(({ box }) => {
    const middle = Math.round((box.top + box.height / 2) * picture.height);
    return picture.at(20, middle).join();
  });
};

const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = colour.split(',').map((text) => {
    const value = Number(text) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const names = ['person', 'car', 'dog', 'cat', 'truck', 'bicycle', 'bird', 'package', 'motorcycle'];

describe('boxes on a picture', () => {
  for (const [width, height, thickness] of [
    [80, 60, 2],
    [320, 240, 4],
    [1280, 720, 6],
    [720, 1280, 6],
    [3840, 2160, 16]
  ] as const) {
    it(`has its lines where the object is, at ${width} × ${height}`, () => {
      const picture = draw(width, height, [mark('person', 0.25, 0.5, 0.5, 0.4, { caption: '' })]);
      const changed = picture.around((x, y) => !picture.grey(x, y));
      const near = (found: number, wanted: number): void =>
        assert.ok(Math.abs(found - wanted) <= thickness, `${found} is not ${wanted}`);
      near(changed.left, width * 0.25);
      near(changed.top, height * 0.5);
      near(changed.right, width * 0.75);
      near(changed.bottom, height * 0.9);
      assert.ok(picture.grey(width / 2, Math.round(height * 0.7)), 'the object itself is hidden');
    });
  }

  it('has a colour a name, whatever its capitals, and from one picture to the next', () => {
    const [alone] = colourOf('person');
    const [, together, capitals] = colourOf('car', 'person', 'Person ');
    assert.equal(together, alone);
    assert.equal(capitals, alone);
    assert.notEqual(colourOf('car')[0], alone);
  });

  it('has as many colours as names, up to nine', () => {
    assert.equal(new Set(colourOf(...names)).size, 9);
    const others = Array.from({ length: 9 }, (_, n) => `thing ${n}`);
    assert.equal(new Set(colourOf(...others)).size, 9);
    assert.deepEqual(colourOf(...others.toReversed()), colourOf(...others).toReversed());
  });

  it('stands out from white, black and the colour itself', () => {
    for (const name of names) {
      const [own = ''] = colourOf(name);
      for (const background of [[255, 255, 255], [0, 0, 0], own.split(',').map(Number)] as Colour[]) {
        const picture = draw(640, 480, [mark(name, 0.2, 0.2, 0.6, 0.6, { caption: '' })], undefined, background);
        const across = Array.from({ length: 20 }, (_, n) => picture.at(118 + n, 240).join());
        const best = Math.max(...across.map((colour) => contrast(colour, background.join())));
        assert.ok(best >= 2, `${name} on ${background}: ${best}`);
      }
    }
  });

  it('is dashed, thinner and dark where the object does not count', () => {
    const [solid, dashed] = [true, false].map((counted) =>
      draw(640, 480, [mark('person', 0.2, 0.2, 0.6, 0.6, { counted })])
    ) as [Picture, Picture];
    const blank = (picture: Picture): number =>
      Array.from({ length: 200 }, (_, n) => picture.grey(128, 150 + n)).filter(Boolean).length;
    assert.equal(blank(solid), 0);
    assert.ok(blank(dashed) > 40 && blank(dashed) < 120);
    assert.equal(solid.main(), colourOf('person')[0]);
    assert.ok(luminance(dashed.at(132, 87).join()) < 0.1);
  });

  it('leaves the rest of the picture as it was', () => {
    const picture = draw(640, 480, [mark('person', 0.4, 0.4, 0.2, 0.2)]);
    const { left, top, right, bottom } = picture.around((x, y) => !picture.grey(x, y));
    assert.ok(left >= 250 && top >= 165 && right <= 390 && bottom <= 293);
  });

  it('leaves the context as it was', () => {
    const context = createCanvas(100, 100).getContext('2d');
    const state = (): unknown[] => [context.font, context.lineWidth, context.globalAlpha, context.lineDashOffset];
    const before = [...state(), context.getLineDash()];
    drawBoxes(
      context,
      { width: 100, height: 100 },
      [mark('a', 0, 0.5, 1, 1, { counted: false })],
      mark('', 0, 0, 0.5, 1).box
    );
    assert.deepEqual([...state(), context.getLineDash()], before);
  });

  it('is left out where it is not in the picture, or not a box', () => {
    const bad = [Number.NaN, -1, 0, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const wrong = bad.flatMap((value) => [
      mark('a', 2, 2, value, 1),
      mark('b', 0.1, 0.1, 0.2, value),
      mark('c', value, value, 0, 0)
    ]);
    assert.doesNotThrow(() => draw(320, 240, wrong, wrong[0]?.box));
    const nowhere = [
      mark('a', 1.2, 0, 0.5, 1),
      mark('b', 0.1, -3, 0.5, 1),
      mark('c', Number.NaN, 0, 1, 1),
      mark('d', 0.5, 0.5, 0, 1)
    ];
    assert.equal(draw(320, 240, nowhere, { left: 0, top: Number.NaN, width: 1, height: 1 }).main(), 'none');
  });

  it('is closed at the edge of the picture where the object goes on beyond', () => {
    const picture = draw(640, 480, [mark('person', -0.2, -0.2, 2, 2, { caption: '' })]);
    for (const [x, y] of [
      [1, 240],
      [638, 240],
      [320, 1],
      [320, 478]
    ] as const) {
      assert.equal(picture.at(x, y).join(), colourOf('person')[0]);
    }
  });

  it('takes little work for a hundred of them', () => {
    const marks = Array.from({ length: 100 }, (_, n) =>
      mark(names[n % 9] as string, (n % 10) / 11, Math.floor(n / 10) / 11, 0.2, 0.2)
    );
    const before = process.cpuUsage();
    draw(1280, 720, marks);
    assert.ok(process.cpuUsage(before).user < 1_000_000);
  });

  it('is drawn, without a tag, on a picture that is too small for one', () => {
    for (const [width, height] of [
      [8, 8],
      [4, 60],
      [16, 12]
    ] as const) {
      assert.notEqual(draw(width, height, [mark('person', 0, 0, 1, 1)]).main(), 'none');
    }
  });
});

describe('a tag', () => {
  /** Where the colour of the tag is, without the box: its lines are a few pixels wide. */
  function tagOf(picture: Picture): { left: number; top: number; right: number; bottom: number } {
    const colour = picture.main();
    const own = (x: number, y: number): boolean => picture.at(x, y).join() === colour;
    const solid = (x: number, y: number): boolean =>
      [0, 2, 4].every((n) => own(x + n, y + n) && own(x + n, y) && own(x, y + n));
    return picture.around((x, y) => x < picture.width - 4 && y < picture.height - 4 && solid(x, y));
  }

  it('is above the box, and in the picture at every edge and corner', () => {
    for (const left of [-0.1, 0, 0.4, 0.95]) {
      for (const top of [-0.1, 0, 0.4, 0.95]) {
        const tag = tagOf(draw(320, 240, [mark('person', left, top, 0.15, 0.15)]));
        const [width, height] = [tag.right - tag.left, tag.bottom - tag.top];
        assert.ok(width > 45 && height > 6, `cut off at ${left}, ${top}: ${width} × ${height}`);
        if (top === 0.4) assert.ok(tag.bottom < 96);
      }
    }
  });

  it('can be read: its text has a contrast of 4.5 at least', () => {
    for (const counted of [true, false]) {
      for (const name of [...names, 'thing 1', 'thing 2']) {
        for (const background of [
          [255, 255, 255],
          [0, 0, 0]
        ] as Colour[]) {
          const marks = [mark(name, 0.1, 0.5, 0.8, 0.4, { counted, caption: 'MMMM MMMM MMMM' })];
          const picture = draw(1280, 720, marks, undefined, background);
          const tag = picture.colours(140, 338, 280, 354);
          const [[a] = [''], [b] = ['']] = [...tag].sort((x, y) => y[1] - x[1]);
          assert.ok(contrast(a, b) >= 4.5, `${name}: ${a} on ${b}`);
        }
      }
    }
  });

  it('hides no other where there is room', () => {
    const boxes = ['person', 'car', 'dog'].map((name) => mark(name, 0.3, 0.3, 0.4, 0.5));
    const colours = draw(640, 480, boxes).colours();
    const tags = boxes.map(({ name }) => colours.get(colourOf(name)[0] ?? '') ?? 0);
    assert.ok(
      tags.every((pixels) => pixels > 700),
      tags.join()
    );
  });

  it('is cut to the picture, whatever is in its name', () => {
    const strange = ['x'.repeat(100_000), 'a\nb\u0000c\u202Ed', '日本語', 'شخص', '😀👩‍👩‍👧', '\uD800', 'Z͑ͫ̓ͪ̂ͫ̽͏', ' '];
    for (const caption of strange) {
      for (const [width, height] of [
        [80, 60],
        [640, 480]
      ] as const) {
        assert.doesNotThrow(() => draw(width, height, [mark('person', 0.2, 0.5, 0.5, 0.4, { caption })]));
      }
    }
    const drawn = (caption: string): string => draw(640, 480, [mark('a', 0.2, 0.5, 0.5, 0.4, { caption })]).data.join();
    assert.equal(drawn('a\r\nb\u202Ec\u2066'), drawn('a bc'));
  });
});

describe('a region of interest', () => {
  it('has what is outside of it dimmed, and nothing inside', () => {
    const picture = draw(640, 480, [], { left: 0.25, top: 0.25, width: 0.5, height: 0.5 });
    const outside = [
      [5, 5],
      [320, 60],
      [100, 240],
      [635, 475]
    ] as const;
    for (const [x, y] of outside) assert.ok((picture.at(x, y)[0] ?? 0) < 100);
    const inside = picture.around((x, y) => picture.grey(x, y));
    assert.ok(inside.left >= 160 && inside.right <= 480 && inside.top >= 120 && inside.bottom <= 360);
    for (let y = 130; y < 350; y++) assert.ok(picture.grey(y + 80, y));
  });

  it('has a frame that is seen on light and dark', () => {
    for (const background of [
      [255, 255, 255],
      [0, 0, 0]
    ] as Colour[]) {
      const picture = draw(640, 480, [], { left: 0.25, top: 0.25, width: 0.5, height: 0.5 }, background);
      const frame = Array.from({ length: 200 }, (_, n) => luminance(picture.at(200 + n, 120).join()));
      assert.ok(Math.max(...frame) > 0.8);
      assert.ok(Math.min(...frame) < 0.4);
    }
  });

  it('is not drawn where it is all of the picture', () => {
    assert.equal(draw(640, 480, [], { left: 0, top: 0, width: 1, height: 1 }).main(), 'none');
  });
});

describe('lettering', () => {
  function written(text: string, size = 40): string {
    const context = createCanvas(100, 80).getContext('2d');
    lettering.write(context, text, 10, 50, size);
    return Buffer.from(context.getImageData(0, 0, 100, 80).data).toString('base64');
  }

  it('has a sign of its own for each printable character of ASCII', () => {
    const ascii = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n));
    const signs = new Set(ascii.map((character) => written(character)));
    assert.equal(signs.size, 94);
    assert.ok(!signs.has(written(' ')) && !signs.has(written('日')));
  });

  it('leaves accents off, and has a box for what it lacks', () => {
    assert.equal(written('é'), written('e'));
    assert.equal(written('日'), written('Я'));
    assert.notEqual(written('日'), written(''));
  });

  it('writes on a machine without fonts, and only there', () => {
    assert.equal(fontsFrom([]), undefined);
    assert.equal(fontsFrom(['Noto Color Emoji']), undefined);
    assert.match(fontsFrom(['DejaVu Math TeX Gyre', 'DejaVu Serif', 'DejaVu Sans']) ?? '', /^"DejaVu Sans"/);
    assert.match(fontsFrom(['Noto Sans CJK JP', 'Arial']) ?? '', /^"Arial", "Noto Sans CJK JP"/);
    const program = `
      const { createCanvas } = require('canvas');
      const { drawBoxes } = require('./nodes/rekognition/boxes.ts');
      const context = createCanvas(640, 480).getContext('2d');
      const box = { left: 0.2, top: 0.5, width: 0.5, height: 0.4 };
      drawBoxes(context, { width: 640, height: 480 }, [{ name: 'person', caption: 'person 97 %', box, counted: true }]);
      const { data } = context.getImageData(132, 224, 80, 14);
      console.log(data.filter((value, n) => n % 4 === 1 && value < 20).length);`;
    const ink = execFileSync(process.execPath, ['-r', 'tsx/cjs', '-e', program], {
      cwd: join(__dirname, '..', '..'),
      env: { ...process.env, DISABLE_SYSTEM_FONTS_LOAD: '1' }
    });
    assert.ok(Number(ink) > 60, `${ink} pixels of text`);
  });
});
