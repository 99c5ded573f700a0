/**
 * `npm run bench:people`: how long it takes, and how many requests, to teach, list, recognise and forget where a collection has
 * 1,000 people and a picture 40 faces; whether anybody is added on the way; and what the pace of the account makes of it.
 */
import { createRequire } from 'node:module';
import { require as requireTs } from 'tsx/cjs/api';
import { startFlow } from './flow.mjs';

const require = createRequire(import.meta.url);
const { LocalAws, signIns } = requireTs('../local-aws/client.ts', import.meta.url);
const { drawPicture, people } = requireTs('../local-aws/rekognition/drawings.ts', import.meta.url);
const {
  CreateCollectionCommand,
  DescribeCollectionCommand,
  IndexFacesCommand,
  RekognitionClient
} = require('@aws-sdk/client-rekognition');

const collection = 'family';
const population = 1000;
const [across, down] = [8, 5];
/** Dollars for a picture that is looked at, taught, or searched for; lists and deletions cost nothing. */
const price = 0.001;
const costs = new Set(['DetectFaces', 'SearchFacesByImage', 'IndexFaces']);

const whoever = Object.values(people);
const everywhere = { left: 0.3, top: 0.2, width: 0.4, height: 0.6 };
const face = (who, box) => ({ kind: 'face', who, box });
const portrait = drawPicture({ things: [face(people.anna, everywhere)] }, { width: 320, height: 240, format: 'jpeg' });
const crowd = drawPicture(
  {
    things: Array.from({ length: across * down }, (_, index) => {
      const [column, row] = [index % across, Math.floor(index / across)];
      const box = { left: (column + 0.2) / across, top: (row + 0.15) / down, width: 0.6 / across, height: 0.7 / down };
      return face(whoever[index % whoever.length], box);
    })
  },
  { width: 1920, height: 1080, format: 'jpeg' }
);

async function teachEverybody(service) {
  await service.send(new CreateCollectionCommand({ CollectionId: collection }));
  for (let number = 1; number <= population; number += 1) {
    const name = `Person:20${number}`;
    await service.send(
      new IndexFacesCommand({
        CollectionId: collection,
        ExternalImageId: name,
        Image: { Bytes: portrait },
        MaxFaces: 1
      })
    );
  }
}

const faces = { type: 'aws-rekognition-faces', collection };
const identify = { type: 'aws-rekognition-detect', operation: 'identify', collection };
/** Their ids are words that no property has: Node-RED would take such a property for a reference. */
const nodes = (endpoint, credentials) => [
  { id: 'list all', ...faces },
  { id: 'list one', ...faces, imageId: 'Person 500' },
  { id: 'recognise', ...identify },
  { id: 'paced', type: 'aws-account', source: 'keys', region: 'us-east-1', endpoint, validate: false, credentials },
  { id: 'recognise, 5 a second', ...identify, account: 'paced' },
  { id: 'forget one', ...faces, action: 'forget', imageId: 'Person 500' }
];
/** What came of each, in a few words. */
const outcomes = {
  'list all': ({ count }) => `${count} people`,
  'list one': ({ count }) => `${count} of them`,
  recognise: ({ count, summary }) => `${count} faces, ${count - (summary.unknown ?? 0)} known`,
  'recognise, 5 a second': ({ count }) => `${count} faces`,
  'forget one': ({ deleted }) => `${deleted.length} deleted`
};

const row = (...cells) => console.log(cells.map((text, index) => String(text).padEnd(index === 3 ? 56 : 24)).join(''));

const aws = await LocalAws.start();
const { accessKeyId, secretAccessKey } = signIns.demo;
const credentials = { accessKeyId, secretAccessKey };
const service = new RekognitionClient({ region: 'us-east-1', endpoint: aws.url, credentials });
const kept = async () => (await service.send(new DescribeCollectionCommand({ CollectionId: collection }))).FaceCount;
await teachEverybody(service);
const flow = await startFlow(aws.url, nodes(aws.url, credentials), { credentials });
console.log(`Node.js ${process.version}: ${population} people in a collection, ${across * down} faces in a picture\n`);
row('', 'came of it', 'ms', 'requests', 'list price');
for (const [id, say] of Object.entries(outcomes)) {
  const before = (await aws.requests()).length;
  const start = performance.now();
  const { payload } = await flow.send(id)(crowd);
  const took = performance.now() - start;
  const counts = {};
  for (const { operation } of (await aws.requests()).slice(before)) counts[operation] = (counts[operation] ?? 0) + 1;
  const dollars = Object.entries(counts).reduce((sum, [name, times]) => sum + (costs.has(name) ? times * price : 0), 0);
  const requests = Object.entries(counts)
    .map(([name, times]) => `${times} ${name}`)
    .join(', ');
  row(id, say(payload), took.toFixed(0), requests, `$${dollars.toFixed(3)}`);
}
const left = await kept();
console.log(
  `\n${left === population - 1 ? 'reached' : 'MISSED '}  faces in the collection at the end: ${left} (${population} and one forgotten)`
);
process.exitCode = left === population - 1 ? 0 : 1;
service.destroy();
await flow.stop();
await aws.stop();
process.exit();
