import assert from 'node:assert/strict';
import {
  CreateCollectionCommand,
  IndexFacesCommand,
  ListFacesCommand,
  RekognitionClient
} from '@aws-sdk/client-rekognition';
import { signIns } from '../../local-aws/client';
import { drawPicture, people, type Thing } from '../../local-aws/rekognition/drawings';
import { account, credentials, errorOf, facesNode, sentBy, useBench } from '../aws';
import type { Message } from '../node-red';
import { sink } from '../node-red';
import { operationOf, useRelay } from '../relay';

type Who = (typeof people)[keyof typeof people];
interface Place {
  box: Thing['box'];
  confidence: number;
}
interface People {
  collection: string;
  count: number;
  people: { name: string; faces: (Place & { faceId: string })[] }[];
}
interface Comparison {
  matches: (Place & { similarity: number })[];
  unmatched: number;
  source: Place;
}

const middle: Thing['box'] = { left: 0.3, top: 0.2, width: 0.4, height: 0.6 };
const left: Thing['box'] = { left: 0.05, top: 0.2, width: 0.25, height: 0.4 };
const right: Thing['box'] = { left: 0.6, top: 0.3, width: 0.3, height: 0.5 };
const face = (who: Who, box = middle): Thing => ({ kind: 'face', who, box });
const draw = (...things: Thing[]) => drawPicture({ things }, { width: 320, height: 240, format: 'jpeg' });
const anna = draw(face(people.anna));
const ben = draw(face(people.ben));
const both = draw(face(people.anna, left), face(people.ben, right));
const nobody = draw({ kind: 'car', box: middle });

const bench = useBench();

describe('aws-rekognition-faces', () => {
  const relay = useRelay(bench);
  let service: RekognitionClient;

  before(() => {
    service = new RekognitionClient({
      region: 'us-east-1',
      endpoint: bench.aws.url,
      credentials: signIns.demo,
      customUserAgent: 'nimbus-tests'
    });
  });
  beforeEach(async () => {
    await service.send(new CreateCollectionCommand({ CollectionId: 'family' }));
  });
  after(() => service.destroy());

  const ofMessage = (name: string, from = name) => ({ [name]: from, [`${name}Type`]: 'msg' });

  /** Deploys the node with an account that does not hold requests back. */
  const deploy = (properties: object = {}, ofAccount: object = {}) =>
    bench.red.deploy(
      [
        account(bench, { rekognitionRate: 0, ...ofAccount }),
        facesNode({ collection: 'family', ...properties }),
        sink('out')
      ],
      {
        credentials: credentials()
      }
    );

  /** Teaches a face as another program would, and gives its id. */
  async function teach(Bytes: Buffer, ExternalImageId?: string): Promise<string> {
    const command = new IndexFacesCommand({ CollectionId: 'family', Image: { Bytes }, ExternalImageId, MaxFaces: 1 });
    const { FaceRecords = [] } = await service.send(command);
    return FaceRecords[0]?.Face?.FaceId ?? '';
  }
  const remaining = async () => {
    const { Faces = [] } = await service.send(new ListFacesCommand({ CollectionId: 'family' }));
    return Faces.map(({ ExternalImageId = '' }) => ExternalImageId).sort();
  };
  const send = (message: Message = {}) => bench.red.send('faces', message);
  const resultOf = async <Result>(message: Message = {}) => sentBy(await send(message)).payload as Result;
  const operations = async () =>
    (await bench.aws.requests())
      .filter(({ headers }) => !headers['user-agent']?.includes('nimbus-tests'))
      .map(({ operation }) => operation);

  describe('list', () => {
    it('gives everybody by name, as they were taught, with each of their faces', async () => {
      const ids = [
        await teach(anna, 'Zo:C3:AB'),
        await teach(ben, 'Ada:20Lovelace'),
        await teach(both, 'Ada:20Lovelace')
      ];
      await deploy();
      const { collection, count, people } = await resultOf<People>();
      assert.deepEqual([collection, count], ['family', 2]);
      assert.deepEqual(
        people.map(({ name, faces }) => [name, faces.map(({ faceId }) => faceId).sort()]),
        [
          ['Ada Lovelace', [ids[1], ids[2]].sort()],
          ['Zoë', [ids[0]]]
        ]
      );
      const [{ confidence, box } = {} as Place] = people[1]?.faces ?? [];
      assert.ok(confidence > 90 && confidence <= 100);
      for (const number of [confidence, ...Object.values(box)]) assert.equal(number, Number(number.toFixed(3)));
    });

    it('gives a face without a name by its own id, and one with another program’s id by that', async () => {
      const id = await teach(anna);
      await teach(ben, 'user:42');
      await deploy();
      const { people } = await resultOf<People>();
      assert.deepEqual(people.map(({ name }) => name).sort(), [id, 'user:42'].sort());
    });

    it('gives one person where that is asked for, whatever the composition of an accent, and case counts', async () => {
      await teach(anna, 'Zo:C3:AB');
      await teach(ben, 'ben');
      await deploy(ofMessage('imageId', 'topic'));
      const namesFor = async (topic?: string) => (await resultOf<People>({ topic })).people.map(({ name }) => name);
      assert.deepEqual(await namesFor('Zoe\u0308'), ['Zoë']);
      assert.deepEqual(await namesFor('zoë'), []);
      assert.deepEqual(await namesFor('nobody'), []);
      assert.deepEqual(await namesFor(undefined), ['ben', 'Zoë']);
    });

    it('goes through all pages', async () => {
      relay.answer = (exchange) => {
        const { NextToken } = JSON.parse(exchange.body.toString()) as { NextToken?: string };
        const FaceId = `00000000-0000-4000-8000-00000000000${NextToken ?? 0}`;
        const next = Number(NextToken ?? 0) + 1;
        const page = { Faces: [{ FaceId, ExternalImageId: 'Ada' }], ...(next < 3 && { NextToken: String(next) }) };
        return { status: 200, body: JSON.stringify(page), headers: { 'x-amzn-requestid': 'page' } };
      };
      await deploy({}, { endpoint: relay.url });
      const { people } = await resultOf<People>();
      assert.deepEqual(
        people.map(({ name, faces }) => [name, faces.length]),
        [['Ada', 3]]
      );
    });

    it('gives the service’s faces of all pages as the raw response', async () => {
      const id = await teach(anna, 'Ada');
      await deploy({ output: 'raw' });
      const { Faces } = await resultOf<{ Faces: { FaceId: string; ExternalImageId: string }[] }>();
      assert.deepEqual(
        Faces.map(({ FaceId, ExternalImageId }) => [FaceId, ExternalImageId]),
        [[id, 'Ada']]
      );
    });

    it('makes no collection', async () => {
      await deploy({ collection: 'nowhere' });
      assert.equal(errorOf(await send()).name, 'ResourceNotFoundException');
      assert.deepEqual(await operations(), ['ListFaces']);
    });
  });

  describe('forget', () => {
    it('deletes every face of the name, and of nobody else', async () => {
      const ids = [await teach(anna, 'Ada:20Lovelace'), await teach(both, 'Ada:20Lovelace')];
      await teach(ben, 'Ben');
      await deploy({ action: 'forget', ...ofMessage('imageId', 'topic') });
      const { deleted, ...rest } = await resultOf<{ deleted: string[] }>({ topic: 'Ada Lovelace' });
      assert.deepEqual(rest, { collection: 'family', imageId: 'Ada Lovelace' });
      assert.deepEqual(deleted.sort(), ids.sort());
      assert.deepEqual(await remaining(), ['Ben']);
    });

    it('of nobody deletes nothing, and is no error', async () => {
      await deploy({ action: 'forget', imageId: 'Ada' });
      assert.deepEqual(await resultOf(), { collection: 'family', imageId: 'Ada', deleted: [] });
      assert.deepEqual(await operations(), ['ListFaces']);
    });

    it('deletes the faces of a list, whatever the name says', async () => {
      const ids = [await teach(anna, 'Ada'), await teach(both, 'Ada')];
      await deploy({ action: 'forget', imageId: 'Ben', ...ofMessage('faceIds', 'payload') });
      assert.deepEqual(await resultOf({ payload: [ids[0]] }), { collection: 'family', deleted: [ids[0]] });
      assert.deepEqual(await remaining(), ['Ada']);
      assert.deepEqual(await operations(), ['DeleteFaces']);
    });

    it('needs to know who', async () => {
      await deploy({ action: 'forget' });
      const { name, message } = errorOf(await send());
      assert.equal(name, 'MissingValue');
      assert.match(message, /imageId.*faceIds.*who is to be forgotten/);
      assert.deepEqual(await operations(), []);
    });

    it('says which faces were not deleted, and why', async () => {
      const id = await teach(anna, 'Ada');
      const stranger = '11111111-2222-4333-8444-555555555555';
      await deploy({ action: 'forget', ...ofMessage('faceIds', 'payload') });
      const { name, message, cause } = errorOf(await send({ payload: [id, stranger] }));
      assert.equal(name, 'PartialFailure');
      assert.match(message, new RegExp(`${stranger} \\(FACE_NOT_FOUND\\)`));
      const failed = [{ faceId: stranger, reason: 'FACE_NOT_FOUND' }];
      assert.deepEqual((cause as { results: object }).results, { deleted: [id], failed });
    });

    it('does not count on what the service does not say', async () => {
      const id = await teach(anna, 'Ada');
      relay.answer = (exchange) =>
        operationOf(exchange) === 'DeleteFaces'
          ? { status: 200, body: '{"DeletedFaces":[]}', headers: { 'x-amzn-requestid': 'none' } }
          : undefined;
      await deploy({ action: 'forget', imageId: 'Ada' }, { endpoint: relay.url });
      const { name, cause } = errorOf(await send());
      assert.equal(name, 'PartialFailure');
      const failed = [{ faceId: id, reason: 'no reason' }];
      assert.deepEqual((cause as { results: object }).results, { deleted: [], failed });
    });

    it('takes a face for forgotten that somebody else deletes at the same time', async () => {
      const id = await teach(anna, 'Ada');
      relay.answer = (exchange) =>
        operationOf(exchange) === 'DeleteFaces'
          ? {
              status: 200,
              body: JSON.stringify({
                DeletedFaces: [],
                UnsuccessfulFaceDeletions: [{ FaceId: id, Reasons: ['FACE_NOT_FOUND'] }]
              }),
              headers: { 'x-amzn-requestid': 'gone' }
            }
          : undefined;
      await deploy({ action: 'forget', imageId: 'Ada' }, { endpoint: relay.url });
      assert.deepEqual(await resultOf(), { collection: 'family', imageId: 'Ada', deleted: [] });
    });
  });

  describe('compare', () => {
    it('finds the largest face of one picture in another, and counts the others', async () => {
      await deploy({ action: 'compare' });
      const { matches, unmatched, source } = await resultOf<Comparison>({ payload: anna, target: both });
      assert.equal(unmatched, 1);
      assert.equal(matches.length, 1);
      const [{ similarity, box } = {} as Comparison['matches'][0]] = matches;
      assert.ok(similarity > 90);
      for (const side of ['left', 'top', 'width', 'height'] as const) {
        assert.ok(Math.abs(box[side] - left[side]) < 0.03, `${side} ${box[side]}`);
        assert.ok(Math.abs(source.box[side] - middle[side]) < 0.03, `${side} ${source.box[side]}`);
      }
      assert.deepEqual(await operations(), ['CompareFaces']);
    });

    it('finds no match in who is somebody else, and none where there is nobody', async () => {
      await deploy({ action: 'compare' });
      const other = await resultOf<Comparison>({ payload: anna, target: ben });
      assert.deepEqual([other.matches, other.unmatched], [[], 1]);
      const empty = await resultOf<Comparison>({ payload: anna, target: nobody });
      assert.deepEqual([empty.matches, empty.unmatched], [[], 0]);
      assert.ok(empty.source.confidence > 90);
    });

    it('says so where there is no face to look for', async () => {
      await deploy({ action: 'compare' });
      const { name, message } = errorOf(await send({ payload: nobody, target: anna }));
      assert.equal(name, 'InvalidValue');
      assert.match(
        message,
        /^Face to look for \(image\) must show the face to look for, but no face was found in it\.$/
      );
    });

    it('asks for the similarity that is given', async () => {
      await deploy({ action: 'compare', ...ofMessage('similarity') });
      const { matches } = await resultOf<Comparison>({ payload: anna, target: ben, similarity: 0 });
      assert.equal(matches.length, 1);
    });

    it('takes pictures in S3, and needs no collection', async () => {
      await deploy({ action: 'compare', collection: '' });
      const message = { payload: 's3://nimbus-pictures/anna.jpg', target: 's3://nimbus-pictures/ben.jpg' };
      assert.equal((await resultOf<Comparison>(message)).unmatched, 1);
    });

    it('gives the service’s answer as the raw response', async () => {
      await deploy({ action: 'compare', output: 'raw' });
      const raw = await resultOf<Record<string, unknown>>({ payload: anna, target: both });
      assert.deepEqual(Object.keys(raw).sort(), ['FaceMatches', 'SourceImageFace', 'UnmatchedFaces']);
    });
  });

  describe('refuses', () => {
    const hostile: [string, object, Message, RegExp][] = [
      ['a face id that is none', { action: 'forget', ...ofMessage('faceIds') }, { faceIds: ['../x'] }, /face IDs/],
      [
        'face ids that are no list',
        { action: 'forget', ...ofMessage('faceIds') },
        { faceIds: 7 },
        /a list of face IDs/
      ],
      [
        'more face ids than anybody needs',
        { action: 'forget', ...ofMessage('faceIds') },
        { faceIds: Array(10_001).fill('x') },
        /at most 10000/
      ],
      ['a name with half of a character', { ...ofMessage('imageId') }, { imageId: '\ud800' }, /lone surrogate/],
      [
        'a name that cannot be kept',
        { ...ofMessage('imageId') },
        { imageId: 'é'.repeat(100) },
        /at most 255 characters/
      ],
      ['a name that is an object', { ...ofMessage('imageId') }, { imageId: {} }, /must be text/],
      [
        'a collection that leads elsewhere',
        { ...ofMessage('collection') },
        { collection: '../family' },
        /letters, digits/
      ],
      [
        'a picture that is none',
        { action: 'compare' },
        { payload: anna, target: Buffer.from('<html>') },
        /target.*web page/
      ],
      [
        'a picture of another machine',
        { action: 'compare' },
        { payload: '\\\\host\\a.jpg', target: anna },
        /on this machine/
      ],
      [
        'face ids of which one is cut off',
        { action: 'forget', ...ofMessage('faceIds') },
        { faceIds: ['11111111-1111-1111-1111-111111111111', '11111111-1111-1111-1111-11111111111'] },
        /must be face IDs of 36 characters/
      ],
      ['a face id in a list in a list', { action: 'forget', ...ofMessage('faceIds') }, { faceIds: [[]] }, /face IDs/],
      ['a name that is a list', { action: 'forget', ...ofMessage('imageId') }, { imageId: ['Ada'] }, /must be text/],
      ['a name that is neither', { action: 'forget', ...ofMessage('imageId') }, { imageId: true }, /must be text/],
      ['a collection of a list', { ...ofMessage('collection') }, { collection: ['family'] }, /is an array/],
      ['a target that is a number', { action: 'compare' }, { payload: anna, target: 7 }, /target.*JPEG or PNG/],
      [
        'a target that ends in the middle',
        { action: 'compare' },
        { payload: anna, target: ben.subarray(0, 200) },
        /target.*cut off/
      ],
      [
        'a target on the web',
        { action: 'compare' },
        { payload: anna, target: 'http://camera/x.jpg' },
        /target.*web address/
      ],
      [
        'a similarity that is text',
        { action: 'compare', ...ofMessage('similarity') },
        { payload: anna, target: ben, similarity: 'very' },
        /from 0 to 100/
      ],
      [
        'a similarity beyond 100',
        { action: 'compare', ...ofMessage('similarity') },
        { payload: anna, target: ben, similarity: 101 },
        /from 0 to 100/
      ]
    ];
    for (const [what, properties, message, text] of hostile) {
      it(what, async () => {
        await deploy(properties);
        const error = errorOf(await send(message));
        assert.equal(error.name, 'InvalidValue');
        assert.match(error.message, text);
        assert.deepEqual(await operations(), []);
      });
    }
  });
});
