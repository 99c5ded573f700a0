import assert from 'node:assert/strict';
import { crc32, deflateSync } from 'node:zlib';
import {
  type BoundingBox,
  CreateCollectionCommand,
  DeleteCollectionCommand,
  DeleteFacesCommand,
  DescribeCollectionCommand,
  DetectFacesCommand,
  type DetectFacesCommandInput,
  DetectLabelsCommand,
  type DetectLabelsCommandInput,
  DetectModerationLabelsCommand,
  DetectProtectiveEquipmentCommand,
  DetectTextCommand,
  IndexFacesCommand,
  type IndexFacesCommandInput,
  ListCollectionsCommand,
  ListFacesCommand,
  RecognizeCelebritiesCommand,
  RekognitionClient,
  SearchFacesByImageCommand,
  type SearchFacesByImageCommandInput
} from '@aws-sdk/client-rekognition';
import { createCanvas, loadImage } from 'canvas';
import { loopSeconds, porchAt, startCamera } from '../../demo/camera';
import { LocalAws, signIns } from '../../local-aws/client';
import {
  type Box,
  celebrities,
  drawPicture,
  everybody,
  type PictureOptions,
  people,
  type Scene,
  type Thing
} from '../../local-aws/rekognition/drawings';
import { look } from '../../local-aws/rekognition/vision';
import { examples } from '../rekognition/rekognition-examples';

const place = (left: number, top: number, width: number, height: number): Box => ({ left, top, width, height });

function draw(things: readonly Thing[], options: Partial<PictureOptions & Scene> = {}): Buffer {
  const { background = 'plain', ...rest } = options;
  return drawPicture({ background, things }, { width: 640, height: 360, format: 'jpeg', ...rest });
}

const portrait = (who: NonNullable<Thing['who']>, more: Partial<Thing> = {}) =>
  draw([{ kind: 'person', who, box: place(0.3, 0.1, 0.4, 1.85), ...more }], { background: 'room' });

function near(found: BoundingBox | undefined, wanted: Box, within = 0.02): void {
  const { Left: left = -1, Top: top = -1, Width: width = -1, Height: height = -1 } = found ?? {};
  const edges = (box: Box) => [box.left, box.top, box.left + box.width, box.top + box.height];
  const offs = edges({ left, top, width, height }).map((edge, index) => Math.abs(edge - (edges(wanted)[index] ?? 0)));
  assert.ok(Math.max(...offs) <= within, `${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}

/** Where an answer lacks what the first item of an example has, or has something else in its place. */
function lacking(answer: unknown, example: unknown, path: string): string[] {
  if (Array.isArray(example) && Array.isArray(answer)) {
    return example.length === 0 ? [] : lacking(answer[0], example[0], `${path}[]`);
  }
  if (typeof example !== 'object' || example === null) return typeof answer === typeof example ? [] : [path];
  if (typeof answer !== 'object' || answer === null) return [path];
  return Object.entries(example).flatMap(([name, each]) =>
    lacking((answer as Record<string, unknown>)[name], each, `${path}.${name}`)
  );
}

/** 10,000 × 10,000 pixels of one bit. */
function hugePng(): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const [length, sum, typed] = [Buffer.alloc(4), Buffer.alloc(4), Buffer.concat([Buffer.from(name), data])];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(typed));
    return Buffer.concat([length, typed, sum]);
  };
  const header = Buffer.from('00002710000027100100000000', 'hex');
  const rows = deflateSync(Buffer.alloc(10_000 * (1 + 1250)), { level: 1 });
  const start = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([start, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

function only<Item>(items: readonly Item[] | undefined): Item {
  assert.equal(items?.length, 1);
  return items[0] as Item;
}

describe('The local Rekognition', () => {
  let aws: LocalAws;
  const clients: RekognitionClient[] = [];

  before(async () => {
    aws = await LocalAws.start();
  });
  beforeEach(() => aws.reset());
  after(async () => {
    for (const each of clients) each.destroy();
    await aws.stop();
  });

  function client(signIn: keyof typeof signIns = 'demo', region = 'us-east-1'): RekognitionClient {
    const credentials = { ...signIns[signIn] };
    const made = new RekognitionClient({ endpoint: aws.url, region, maxAttempts: 1, credentials });
    clients.push(made);
    return made;
  }
  const labels = (Bytes: Buffer, input: Partial<DetectLabelsCommandInput> = {}) =>
    client().send(new DetectLabelsCommand({ Image: { Bytes }, ...input }));
  const faces = (Bytes: Buffer, input: Partial<DetectFacesCommandInput> = {}) =>
    client().send(new DetectFacesCommand({ Image: { Bytes }, ...input }));
  const create = (CollectionId: string) => client().send(new CreateCollectionCommand({ CollectionId }));
  const teach = (Bytes: Buffer, ExternalImageId: string, input: Partial<IndexFacesCommandInput> = {}) =>
    client().send(new IndexFacesCommand({ CollectionId: 'people', Image: { Bytes }, ExternalImageId, ...input }));
  const search = (Bytes: Buffer, input: Partial<SearchFacesByImageCommandInput> = {}) =>
    client().send(new SearchFacesByImageCommand({ CollectionId: 'people', Image: { Bytes }, ...input }));

  function fails(work: Promise<unknown>, name: string, message: string | RegExp): Promise<void> {
    return assert.rejects(work, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.equal(error.name, name);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      assert.equal(error.$metadata?.httpStatusCode, 400);
      return true;
    });
  }

  describe('sees', () => {
    const things: Record<string, Thing> = {
      Person: { kind: 'person', box: place(0.4, 0.2, 0.15, 0.65) },
      Car: { kind: 'car', box: place(0.3, 0.5, 0.35, 0.26) },
      Dog: { kind: 'dog', box: place(0.35, 0.5, 0.25, 0.34) },
      Cat: { kind: 'cat', box: place(0.35, 0.5, 0.16, 0.32) },
      Bicycle: { kind: 'bicycle', box: place(0.35, 0.4, 0.3, 0.34) },
      Package: { kind: 'parcel', box: place(0.4, 0.5, 0.2, 0.28) },
      Bottle: { kind: 'bottle', box: place(0.4, 0.3, 0.1, 0.52) },
      Dice: { kind: 'dice', box: place(0.4, 0.5, 0.14, 0.25) }
    };
    for (const [name, thing] of Object.entries(things)) {
      it(`a ${name} where it is`, async () => {
        const { Labels = [] } = await labels(draw([thing], { quality: 70 }));
        const found = Labels.find(({ Name }) => Name === name);
        near(only(found?.Instances).BoundingBox, thing.box);
        assert.ok((found?.Confidence ?? 0) > 85 && (found?.Confidence ?? 100) < 100);
        assert.deepEqual(
          Labels.filter(({ Instances = [] }) => Instances.length > 0).map(({ Name }) => Name),
          [name]
        );
      });
    }

    it('nothing in a background alone, whatever the size and quality', async () => {
      for (const background of ['plain', 'porch', 'room'] as const) {
        for (const width of [160, 1280]) {
          const bytes = draw([], { background, width, height: (width * 9) / 16, quality: 70 });
          const { things: seen, faces: found, equipment, signs } = await look(bytes);
          assert.deepEqual([...seen, ...found, ...equipment, ...signs], [], `${background} ${width}`);
        }
      }
    });

    it('the same at every size, in PNG and in JPEG', async () => {
      const scene = [things.Person, things.Car, things.Dog].map((thing, index) => {
        const { kind, box } = thing as Thing;
        return { kind, box: { ...box, left: 0.02 + 0.34 * index, width: Math.min(0.3, box.width) } };
      });
      for (const [width, height, format] of [
        [200, 112, 'jpeg'],
        [480, 270, 'png'],
        [3840, 2160, 'jpeg'],
        [480, 640, 'jpeg']
      ] as const) {
        const { things: seen } = await look(draw(scene, { background: 'porch', width, height, format, quality: 75 }));
        assert.deepEqual(
          seen.map(({ kind }) => kind),
          ['person', 'car', 'dog'],
          `${width} ${format}`
        );
        for (const [index, { box }] of seen.entries()) {
          near(
            { Left: box.left, Top: box.top, Width: box.width, Height: box.height },
            (scene[index] as Thing).box,
            width < 300 ? 0.03 : 0.02
          );
        }
      }
    });

    it('through boxes that somebody has drawn on the picture', async () => {
      const bytes = draw([things.Person as Thing], { background: 'porch', width: 1280, height: 720 });
      const image = await loadImage(bytes);
      const canvas = createCanvas(1280, 720);
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      for (const [index, colour] of ['#ff0000', '#00ff00', '#ffd400', '#2f80ed'].entries()) {
        context.strokeStyle = colour;
        context.lineWidth = 4;
        context.strokeRect(300 + 50 * index, 100 + 60 * index, 420, 260);
      }
      const { Labels = [] } = await labels(canvas.toBuffer('image/jpeg', 80));
      const found = Labels.filter(({ Instances = [] }) => Instances.length > 0);
      near(only(only(found).Instances).BoundingBox, (things.Person as Thing).box, 0.03);
    });

    it('how many there are, and is less sure of those that are far or cut off', async () => {
      const boxes = [place(0.05, 0.2, 0.15, 0.65), place(0.5, 0.5, 0.035, 0.15), place(0.93, 0.2, 0.15, 0.65)];
      const { Labels = [] } = await labels(draw(boxes.map((box) => ({ kind: 'person', box }))));
      const { Instances = [] } = Labels.find(({ Name }) => Name === 'Person') ?? {};
      const [whole, ...others] = Instances;
      assert.equal(Instances.length, 3);
      near(whole?.BoundingBox, boxes[0] as Box);
      for (const { Confidence = 100 } of others) assert.ok(Confidence < (whole?.Confidence ?? 0) - 3);
    });

    it('no sliver at the edge, nor behind a corner, until there is enough of it to tell what it is', async () => {
      const entering = async (shown: number) => {
        const box = place(1 - shown / 1280, 0.2, 0.15, 0.65);
        const { Labels = [] } = await labels(draw([{ kind: 'person', box }], { width: 1280, height: 720 }));
        return Labels.filter(({ Name }) => Name === 'Person').length;
      };
      assert.deepEqual(await Promise.all([6, 11, 24, 60].map(entering)), [0, 0, 0, 1]);
    });

    it('kinds of kinds, and the place', async () => {
      const { Labels = [], LabelModelVersion } = await labels(draw([things.Car as Thing], { background: 'porch' }));
      const car = Labels.find(({ Name }) => Name === 'Car');
      assert.deepEqual(car?.Parents, [{ Name: 'Transportation' }, { Name: 'Vehicle' }]);
      assert.deepEqual(car?.Categories, [{ Name: 'Vehicles and Automotive' }]);
      for (const name of ['Vehicle', 'Outdoors', 'House']) {
        assert.deepEqual(Labels.find(({ Name }) => Name === name)?.Instances, [], name);
      }
      assert.equal(LabelModelVersion, '3.0');
    });

    it('as many labels as asked for, the surest, and only those that are sure enough', async () => {
      const bytes = draw(Object.values(things), { background: 'porch' });
      const { Labels: all = [] } = await labels(bytes, { MinConfidence: 0 });
      const confidences = all.map(({ Confidence = 0 }) => Confidence);
      assert.deepEqual(
        confidences,
        confidences.toSorted((one, other) => other - one)
      );
      const { Labels: three = [] } = await labels(bytes, { MaxLabels: 3 });
      assert.deepEqual(three, all.slice(0, 3));
      const { Labels: sure = [] } = await labels(bytes, { MinConfidence: 95 });
      assert.deepEqual(
        sure,
        all.filter(({ Confidence = 0 }) => Confidence >= 95)
      );
      assert.ok(sure.length > 0 && sure.length < all.length);
    });

    it('upright what was taken on its side', async () => {
      const bytes = draw([things.Car as Thing]);
      const canvas = createCanvas(360, 640);
      const context = canvas.getContext('2d');
      context.rotate(Math.PI / 2);
      context.drawImage(await loadImage(bytes), 0, -360);
      const turned = canvas.toBuffer('image/jpeg', 90);
      // EXIF with orientation 8: turn it by 270°.
      const exif = Buffer.from(
        'ffe1002245786966000049492a000800000001001201030001000000080000000000000000000000',
        'hex'
      );
      const { Labels = [] } = await labels(
        Buffer.concat([turned.subarray(0, 2), exif.subarray(0, 36), turned.subarray(2)])
      );
      near(Labels.find(({ Name }) => Name === 'Car')?.Instances?.[0]?.BoundingBox, (things.Car as Thing).box);
    });

    it('in less than 60 ms what a 720p picture shows', async () => {
      const bytes = draw(Object.values(things), { background: 'porch', width: 1280, height: 720 });
      const times: number[] = [];
      for (let run = 0; run < 8; run += 1) {
        const start = performance.now();
        await look(bytes);
        times.push(performance.now() - start);
      }
      assert.ok(Math.min(...times) < 60, `${Math.min(...times)} ms`);
    });
  });

  describe('looks at faces', () => {
    it('and says where they are, the largest first', async () => {
      const boxes = [place(0.1, 0.3, 0.12, 0.24), place(0.5, 0.2, 0.2, 0.4)];
      const things = boxes.map(
        (box, index): Thing => ({ kind: 'face', who: everybody[index] as typeof people.anna, box })
      );
      const { FaceDetails = [] } = await faces(draw(things));
      assert.equal(FaceDetails.length, 2);
      near(FaceDetails[0]?.BoundingBox, boxes[1] as Box);
      near(FaceDetails[1]?.BoundingBox, boxes[0] as Box);
      const example = (examples.DetectFaces as { FaceDetails: object[] }).FaceDetails[0];
      assert.deepEqual(Object.keys(FaceDetails[0] ?? {}).sort(), Object.keys(example ?? {}).sort());
      const [left, right] = FaceDetails[0]?.Landmarks ?? [];
      assert.equal(left?.Type, 'eyeLeft');
      assert.ok((left?.X ?? 1) < (right?.X ?? 0));
    });

    it('and with ALL tells a smile, glasses, a beard and an age', async () => {
      const { FaceDetails: plain } = await faces(portrait(people.anna), { Attributes: ['ALL'] });
      assert.deepEqual(
        [plain?.[0]?.Smile?.Value, plain?.[0]?.Eyeglasses?.Value, plain?.[0]?.Beard?.Value],
        [false, false, false]
      );
      const { FaceDetails } = await faces(portrait(people.ben, { smiling: true, glasses: true }), {
        Attributes: ['ALL']
      });
      const found = only(FaceDetails);
      assert.deepEqual([found.Smile?.Value, found.Eyeglasses?.Value, found.Beard?.Value], [true, true, true]);
      assert.deepEqual([found.AgeRange, found.Gender?.Value], [{ Low: 40, High: 48 }, 'Male']);
      assert.equal(found.Emotions?.[0]?.Type, 'HAPPY');
      const { FaceDetails: some } = await faces(portrait(people.anna), { Attributes: ['DEFAULT', 'SMILE'] });
      assert.deepEqual(Object.keys(only(some)).sort(), [
        'BoundingBox',
        'Confidence',
        'Landmarks',
        'Pose',
        'Quality',
        'Smile'
      ]);
    });

    for (const who of everybody) {
      it(`and knows ${who.name}'s from all others`, async () => {
        for (const [width, quality] of [
          [320, 90],
          [1280, 70]
        ] as const) {
          const box = place(0.4, 0.15, 0.2, 0.9);
          const bytes = draw([{ kind: 'person', who, box }], {
            width,
            height: (width * 9) / 16,
            quality,
            background: 'porch'
          });
          const seen = await look(bytes);
          assert.deepEqual(
            seen.faces.map((face) => [face.who.name, face.smiling, face.glasses]),
            [[who.name, false, false]],
            `${width}`
          );
        }
      });
    }

    it('and sees none in somebody who turns their back', async () => {
      const { FaceDetails } = await faces(draw([{ kind: 'person', box: place(0.4, 0.1, 0.2, 0.86) }]));
      assert.deepEqual(FaceDetails, []);
    });

    it('and knows celebrities', async () => {
      const things: Thing[] = [celebrities.aurora, people.anna].map((who, index) => ({
        kind: 'person',
        who,
        box: place(0.1 + 0.4 * index, 0.1, 0.2, 0.86)
      }));
      const command = new RecognizeCelebritiesCommand({ Image: { Bytes: draw(things) } });
      const { CelebrityFaces, UnrecognizedFaces } = await client().send(command);
      const { Name, Id, Urls, MatchConfidence = 0, KnownGender, Face } = only(CelebrityFaces);
      const { name, id, urls } = celebrities.aurora;
      assert.deepEqual([Name, Id, Urls, KnownGender?.Type], [name, id, [...urls], 'Female']);
      assert.ok(MatchConfidence > 98 && (Face?.BoundingBox?.Left ?? 1) < 0.3);
      assert.ok((only(UnrecognizedFaces).BoundingBox?.Left ?? 0) > 0.5);
    });
  });

  describe('reads and judges', () => {
    it('signs, by line and by word', async () => {
      const sign: Thing = { kind: 'sign', box: place(0.3, 0.3, 0.4, 0.44), text: 'NO PARKING\nTow zone 24/7' };
      const command = new DetectTextCommand({ Image: { Bytes: draw([sign], { background: 'porch', quality: 75 }) } });
      const { TextDetections = [] } = await client().send(command);
      assert.deepEqual(
        TextDetections.map(({ Type, DetectedText, Id, ParentId }) => [Type, DetectedText, Id, ParentId]),
        [
          ['LINE', 'NO PARKING', 0, undefined],
          ['LINE', 'Tow zone 24/7', 1, undefined],
          ['WORD', 'NO', 2, 0],
          ['WORD', 'PARKING', 3, 0],
          ['WORD', 'Tow', 4, 1],
          ['WORD', 'zone', 5, 1],
          ['WORD', '24/7', 6, 1]
        ]
      );
      const { Left = 0, Top = 0, Width = 0 } = TextDetections[0]?.Geometry?.BoundingBox ?? {};
      assert.ok(Left >= 0.3 && Top >= 0.3 && Left + Width <= 0.7);
      assert.equal(TextDetections[0]?.Geometry?.Polygon?.length, 4);
    });

    it('long and short signs, small and large pictures', async () => {
      for (const text of ['A', 'B-WX 1234', 'the quick brown fox, jumps: over (1) dog']) {
        const short = text.slice(0, 38);
        for (const width of [640, 1920]) {
          const bytes = draw([{ kind: 'sign', box: place(0.2, 0.2, 0.6, 0.6), text: short }], {
            width,
            height: (width * 9) / 16
          });
          assert.deepEqual(
            (await look(bytes)).signs.map((sign) => sign.text),
            [short],
            `${width}`
          );
        }
      }
    });

    it('what not everybody should see', async () => {
      const bytes = draw([{ kind: 'bottle', box: place(0.4, 0.3, 0.1, 0.52) }]);
      const command = new DetectModerationLabelsCommand({ Image: { Bytes: bytes } });
      const { ModerationLabels = [], ModerationModelVersion } = await client().send(command);
      assert.deepEqual(
        ModerationLabels.map(({ Name, ParentName, TaxonomyLevel }) => [Name, ParentName, TaxonomyLevel]),
        [
          ['Alcohol', '', 1],
          ['Alcoholic Beverages', 'Alcohol', 2]
        ]
      );
      assert.equal(ModerationModelVersion, '7.0');
      const harmless = new DetectModerationLabelsCommand({ Image: { Bytes: portrait(people.anna) } });
      assert.deepEqual((await client().send(harmless)).ModerationLabels, []);
    });

    it('who wears what they should', async () => {
      const wears: Thing['wears'][] = [['hardHat', 'mask', 'gloves'], ['hardHat'], []];
      const things = wears.map((worn, index): Thing => {
        const box = place(0.05 + 0.3 * index, 0.06, 0.2, 0.9);
        return { kind: 'person', who: everybody[index] as typeof people.anna, box, wears: worn ?? [] };
      });
      const { Persons = [], Summary } = await client().send(
        new DetectProtectiveEquipmentCommand({
          Image: { Bytes: draw(things) },
          SummarizationAttributes: { MinConfidence: 70, RequiredEquipmentTypes: ['HEAD_COVER', 'HAND_COVER'] }
        })
      );
      const worn = Persons.map(({ BodyParts = [] }) =>
        BodyParts.map(({ Name, EquipmentDetections = [] }) => [Name, ...EquipmentDetections.map(({ Type }) => Type)])
      );
      assert.deepEqual(worn, [
        [
          ['FACE', 'FACE_COVER'],
          ['HEAD', 'HEAD_COVER'],
          ['LEFT_HAND', 'HAND_COVER'],
          ['RIGHT_HAND', 'HAND_COVER']
        ],
        [['FACE'], ['HEAD', 'HEAD_COVER'], ['LEFT_HAND'], ['RIGHT_HAND']],
        [['FACE'], ['HEAD'], ['LEFT_HAND'], ['RIGHT_HAND']]
      ]);
      assert.deepEqual(Summary, {
        PersonsWithRequiredEquipment: [0],
        PersonsWithoutRequiredEquipment: [1, 2],
        PersonsIndeterminate: []
      });
      near(Persons[1]?.BoundingBox, things[1]?.box as Box);
      const hand = Persons[0]?.BodyParts?.[2]?.EquipmentDetections?.[0];
      assert.ok((hand?.BoundingBox?.Left ?? 0) > 0.15 && hand?.CoversBodyPart?.Value);
    });
  });

  describe('keeps collections', () => {
    it('until they are deleted, for each account and region', async () => {
      const { StatusCode, CollectionArn } = await create('people');
      assert.deepEqual([StatusCode, CollectionArn], [200, 'aws:rekognition:us-east-1:111111111111:collection/people']);
      await create('another');
      const list = async (signIn: keyof typeof signIns, region?: string) =>
        (await client(signIn, region).send(new ListCollectionsCommand({}))).CollectionIds;
      assert.deepEqual(await list('demo'), ['another', 'people']);
      assert.deepEqual([await list('second'), await list('demo', 'eu-west-1')], [[], []]);
      const { FaceCount, CreationTimestamp } = await client().send(
        new DescribeCollectionCommand({ CollectionId: 'people' })
      );
      assert.equal(FaceCount, 0);
      assert.ok(Math.abs((CreationTimestamp?.getTime() ?? 0) - Date.now()) < 60_000);
      await client().send(new DeleteCollectionCommand({ CollectionId: 'people' }));
      assert.deepEqual(await list('demo'), ['another']);
      await aws.reset();
      assert.deepEqual(await list('demo'), []);
    });

    it('and says what is there already, and what is not', async () => {
      await create('people');
      await fails(create('people'), 'ResourceAlreadyExistsException', 'The collection id: people already exists');
      const text = 'The collection id: nobody does not exist';
      const CollectionId = 'nobody';
      const Image = { Bytes: portrait(people.anna) };
      for (const command of [
        new DeleteCollectionCommand({ CollectionId }),
        new DescribeCollectionCommand({ CollectionId }),
        new ListFacesCommand({ CollectionId }),
        new IndexFacesCommand({ CollectionId, Image }),
        new SearchFacesByImageCommand({ CollectionId, Image })
      ]) {
        await fails(client().send(command as DeleteCollectionCommand), 'ResourceNotFoundException', text);
      }
    });

    it('of faces, and finds them again in another picture', async () => {
      await create('people');
      const { FaceRecords } = await teach(portrait(people.anna), 'Anna');
      const { Face, FaceDetail } = only(FaceRecords);
      assert.equal(Face?.ExternalImageId, 'Anna');
      assert.deepEqual(Object.keys(FaceDetail ?? {}).sort(), [
        'BoundingBox',
        'Confidence',
        'Landmarks',
        'Pose',
        'Quality'
      ]);
      await teach(portrait(people.ben), 'Ben');
      const away = { kind: 'person', who: people.anna, smiling: true, box: place(0.6, 0.1, 0.18, 0.86) } as const;
      const {
        FaceMatches,
        SearchedFaceBoundingBox,
        SearchedFaceConfidence = 0
      } = await search(draw([away], { background: 'porch', quality: 70 }));
      const { Similarity = 0, Face: found } = only(FaceMatches);
      assert.ok(Similarity > 98 && Similarity <= 100, `${Similarity}`);
      assert.deepEqual([found?.ExternalImageId, found?.FaceId], ['Anna', Face?.FaceId]);
      assert.ok((SearchedFaceBoundingBox?.Left ?? 0) > 0.6 && SearchedFaceConfidence > 90);
      const { FaceMatches: all = [] } = await search(draw([away]), { FaceMatchThreshold: 0 });
      assert.ok(all.length === 2 && (all[1]?.Similarity ?? 100) < 60);
      assert.equal((await search(draw([away]), { FaceMatchThreshold: 0, MaxFaces: 1 })).FaceMatches?.length, 1);
      assert.deepEqual((await search(portrait(people.chris))).FaceMatches, []);
    });

    it('and finds a face in a piece of a picture that has little else', async () => {
      await create('people');
      for (const [name, who] of Object.entries(people)) await teach(portrait(who), name);
      const box = place(0.4, 0.1, 0.2, 0.9);
      for (const [name, who] of Object.entries(people)) {
        const bytes = draw([{ kind: 'person', who, box }], {
          width: 640,
          height: 360,
          quality: 80,
          background: 'porch'
        });
        const { left, top, width, height } = only((await look(bytes)).faces).box;
        for (const margin of [0, 0.15, 0.5]) {
          const image = await loadImage(bytes);
          const [x, y] = [(left - margin * width) * 640, (top - margin * height) * 360];
          const [across, down] = [(1 + 2 * margin) * width * 640, (1 + 2 * margin) * height * 360];
          const canvas = createCanvas(Math.max(80, Math.round(across)), Math.max(80, Math.round(down)));
          canvas.getContext('2d').drawImage(image, x, y, across, down, 0, 0, canvas.width, canvas.height);
          const { FaceMatches } = await search(canvas.toBuffer('image/jpeg', 90));
          assert.equal(only(FaceMatches).Face?.ExternalImageId, name, `margin ${margin}`);
        }
      }
    });

    it('and takes the largest faces, and no poor ones', async () => {
      await create('people');
      const two: Thing[] = [people.ben, people.anna].map((who, index) => ({
        kind: 'face',
        who,
        box: place(0.1 + 0.4 * index, 0.2, 0.14 + 0.1 * index, 0.3 + 0.2 * index)
      }));
      const { FaceRecords, UnindexedFaces } = await teach(draw(two), 'largest', { MaxFaces: 1 });
      assert.ok((only(FaceRecords).Face?.BoundingBox?.Left ?? 0) > 0.4);
      assert.deepEqual(only(UnindexedFaces).Reasons, ['EXCEEDS_MAX_FACES']);
      assert.equal(only((await search(draw(two))).FaceMatches).Face?.ExternalImageId, 'largest');
      const small = draw([{ kind: 'face', who: people.chris, box: place(0.4, 0.4, 0.05, 0.1) }], {
        width: 320,
        height: 180
      });
      const { FaceRecords: none, UnindexedFaces: poor } = await teach(small, 'small');
      assert.deepEqual([none, only(poor).Reasons], [[], ['LOW_FACE_QUALITY']]);
      assert.equal((await teach(small, 'small', { QualityFilter: 'NONE' })).FaceRecords?.length, 1);
    });

    it('and does not keep a face twice, lists them in pages, and deletes them', async () => {
      await create('people');
      for (const [name, who] of Object.entries(people)) await teach(portrait(who), name);
      await teach(portrait(people.anna), 'anna');
      const list = (input = {}) => client().send(new ListFacesCommand({ CollectionId: 'people', ...input }));
      const first = await list({ MaxResults: 5 });
      const second = await list({ MaxResults: 5, NextToken: first.NextToken });
      assert.deepEqual(
        [...(first.Faces ?? []), ...(second.Faces ?? [])].map(({ ExternalImageId }) => ExternalImageId),
        Object.keys(people)
      );
      assert.equal(second.NextToken, undefined);
      await fails(list({ NextToken: 'none' }), 'InvalidPaginationTokenException', 'Invalid pagination token');
      const FaceId = first.Faces?.[0]?.FaceId as string;
      const unknown = '00000000-0000-0000-0000-000000000000';
      const { DeletedFaces, UnsuccessfulFaceDeletions } = await client().send(
        new DeleteFacesCommand({ CollectionId: 'people', FaceIds: [FaceId, unknown] })
      );
      assert.deepEqual(DeletedFaces, [FaceId]);
      assert.deepEqual(only(UnsuccessfulFaceDeletions), { FaceId: unknown, Reasons: ['FACE_NOT_FOUND'] });
      assert.deepEqual((await search(portrait(people.anna))).FaceMatches, []);
    });

    it('and says when there is nobody to search for', async () => {
      await create('people');
      const text = 'There are no faces in the image. Should be at least 1.';
      await fails(search(draw([])), 'InvalidParameterException', text);
      const { FaceRecords } = await teach(draw([]), 'nobody');
      assert.deepEqual(FaceRecords, []);
    });
  });

  describe('refuses', () => {
    it('what is no JPEG or PNG', async () => {
      const text = 'Request has invalid image format';
      const gif = Buffer.from(`GIF89a${'x'.repeat(200)}`);
      const [png, jpeg] = [draw([], { format: 'png' }), draw([])];
      for (const bytes of [gif, png.subarray(0, 60), jpeg.subarray(0, 200), Buffer.from('text')]) {
        await fails(labels(bytes), 'InvalidImageFormatException', text);
      }
    });

    it('pictures that are too small or too large', async () => {
      const small = draw([], { width: 79, height: 200 });
      await fails(labels(small), 'InvalidParameterException', 'Request has invalid parameters');
      const text = 'Input image dimensions 10001 x 80 exceed maximum dimension size of 10000 pixels';
      await fails(labels(draw([], { width: 10_001, height: 80 })), 'InvalidParameterException', text);
      const bytes = Buffer.concat([draw([]), Buffer.alloc(5 * 1024 * 1024)]);
      const length = /^1 validation error detected: Value .* at 'image\.bytes' .* less than or equal to 5242880$/;
      await fails(labels(bytes), 'ValidationException', length);
      const Image = { Bytes: bytes.subarray(0, 4_000_001) };
      await fails(
        client().send(new DetectProtectiveEquipmentCommand({ Image })),
        'ImageTooLargeException',
        'Image size is too large'
      );
      assert.equal((await labels(bytes.subarray(0, 5 * 1024 * 1024))).LabelModelVersion, '3.0');
    });

    it('no picture of 100 megapixels, and stays at work meanwhile', async () => {
      const whole = labels(hugePng()).then(() => 'whole');
      const other = client()
        .send(new ListCollectionsCommand({}))
        .then(() => 'other');
      assert.equal(await Promise.race([whole, other]), 'other');
      assert.equal(await whole, 'whole');
    });

    it('values that the service does not know', async () => {
      const pattern =
        /at 'collectionId' failed to satisfy constraint: Member must satisfy regular expression pattern: \[a-zA-Z0-9_\.\\-\]\+$/;
      await fails(create('my people'), 'ValidationException', pattern);
      await create('people');
      const name = /at 'externalImageId' failed to satisfy constraint: .* pattern: \[a-zA-Z0-9_\.\\-:\]\+$/;
      await fails(teach(portrait(people.anna), 'Anna B'), 'ValidationException', name);
      const most = /^1 validation error detected: Value '101' at 'minConfidence' .* less than or equal to 100$/;
      await fails(labels(draw([]), { MinConfidence: 101 }), 'ValidationException', most);
      await fails(search(draw([]), { MaxFaces: 0 }), 'ValidationException', /greater than or equal to 1$/);
      await fails(
        faces(draw([]), { Attributes: ['NONE' as 'ALL'] }),
        'ValidationException',
        /enum value set: \[DEFAULT, ALL/
      );
    });

    it('who may do nothing, and who does not sign', async () => {
      const { arn } = signIns.limited;
      const action = 'rekognition:DetectLabels';
      await fails(
        client('limited').send(new DetectLabelsCommand({ Image: { Bytes: draw([]) } })),
        'AccessDeniedException',
        `User: ${arn} is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`
      );
      const response = await fetch(aws.url, {
        method: 'POST',
        headers: { 'x-amz-target': 'RekognitionService.DetectLabels' },
        body: '{}'
      });
      assert.match(await response.text(), /"__type":"MissingAuthenticationTokenException"/);
    });

    it('an object of S3 that it does not have', async () => {
      const send = (Name: string) =>
        client().send(new DetectLabelsCommand({ Image: { S3Object: { Bucket: 'nimbus-pictures', Name } } }));
      const { Labels = [] } = await send('porch.jpg');
      for (const name of ['Person', 'Car', 'Dog', 'House'])
        assert.ok(
          Labels.some(({ Name }) => Name === name),
          name
        );
      const text = 'Unable to get object metadata from S3. Check object key, region and/or access permissions.';
      await fails(send('other.jpg'), 'InvalidS3ObjectException', text);
      const neither = 'Requested image should either contain bytes or s3 object.';
      await fails(client().send(new DetectLabelsCommand({ Image: {} })), 'InvalidParameterException', neither);
    });

    it('more than it can do, when it is told to', async () => {
      await aws.fault({ kind: 'throttle', service: 'rekognition', times: 1 });
      await fails(labels(draw([])), 'ProvisionedThroughputExceededException', 'Provisioned rate exceeded');
      await labels(draw([]));
    });
  });

  it('answers in the shapes of the documented examples', async () => {
    const answers: Record<string, object> = {};
    const Image = { Bytes: portrait(people.anna) };
    const CollectionId = 'people';
    answers.CreateCollection = await create('people');
    answers.ListCollections = await client().send(new ListCollectionsCommand({}));
    answers.IndexFaces = await teach(Image.Bytes, 'Anna');
    answers.SearchFacesByImage = await search(Image.Bytes);
    answers.ListFaces = await client().send(new ListFacesCommand({ CollectionId }));
    answers.DetectFaces = await faces(Image.Bytes);
    answers.DetectLabels = await labels(Image.Bytes);
    answers.DeleteCollection = await client().send(new DeleteCollectionCommand({ CollectionId }));
    const outdated = /OrientationCorrection|UserId/;
    for (const [operation, answer] of Object.entries(answers)) {
      const missing = lacking(answer, examples[operation], operation);
      assert.deepEqual(
        missing.filter((path) => !outdated.test(path)),
        []
      );
    }
  });

  it('logs inputs without the pictures', async () => {
    const bytes = portrait(people.anna);
    await labels(bytes, { MaxLabels: 7 });
    const { operation, input, status } = only(await aws.requests());
    assert.deepEqual(
      [operation, input, status],
      ['DetectLabels', { Image: { Bytes: `(${bytes.length} bytes)` }, MaxLabels: 7 }, 200]
    );
  });

  describe('has a camera', () => {
    it('whose picture shows what its time says', async () => {
      const camera = await startCamera();
      try {
        const get = async (path: string) => {
          const response = await fetch(`${camera.url}${path}`);
          return { response, bytes: Buffer.from(await response.arrayBuffer()) };
        };
        const { response, bytes } = await get('/porch.jpg?t=12');
        assert.deepEqual(
          [response.headers.get('content-type'), response.headers.get('cache-control')],
          ['image/jpeg', 'no-store']
        );
        assert.deepEqual(bytes, (await get('/porch.jpg?t=72')).bytes);
        assert.deepEqual((await get('/porch.jpg?t=0.5')).bytes, (await get('/porch.jpg?t=2')).bytes);
        const seen = await look(bytes);
        assert.deepEqual([seen.width, seen.height, seen.faces[0]?.who.name], [1280, 720, 'Anna']);
        assert.match((await get('/')).bytes.toString(), /<img src="porch\.jpg"/);
        assert.equal((await get('/other')).response.status, 404);
      } finally {
        await camera.close();
      }
    });

    it('that sees people, cars, a dog and a parcel in each minute', async () => {
      const kinds = new Set<string>();
      const names = new Set<string>();
      for (let second = 0; second < loopSeconds; second += 3) {
        const { things, faces: found } = await look(
          draw(porchAt(second * 1000).things, { background: 'porch', width: 640, height: 360 })
        );
        for (const { kind } of things) kinds.add(kind);
        for (const { who, sharpness } of found) if (sharpness > 60) names.add(who.name);
      }
      assert.deepEqual([...kinds].sort(), ['car', 'dog', 'parcel', 'person']);
      assert.deepEqual([...names].sort(), ['Anna', 'Ben']);
    });
  });
});
