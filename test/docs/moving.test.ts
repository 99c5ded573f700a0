/** Moving in from another system: each page is short, and each flow does what is said of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type Camera, startCamera } from '../../demo/camera';
import { signIns } from '../../local-aws/client';
import { keysOf } from '../aws';
import { exampleNames, placeOfExample } from '../example-files';
import type { FlowNode } from '../node-red';
import {
  accepted,
  cold,
  isMovingIn,
  messageId,
  named,
  ofType,
  plain,
  readFlow,
  repository,
  type Story,
  useBroker,
  useExamples,
  warm
} from './examples';
import { type HaCall, type HaState, HomeAssistant } from './home-assistant';
import { registerHomeAssistantNodes } from './home-assistant-nodes';

const folder = join(repository, 'docs', 'moving');
const pages = readdirSync(folder);
const read = (page: string): string => readFileSync(join(folder, page), 'utf8');

describe('the pages for those who move in', () => {
  it('have at most two screens each', () => {
    const lengths = pages.map((page) => [page, read(page).trimEnd().split('\n').length] as const);
    assert.ok(lengths.length >= 6);
    assert.deepEqual(
      lengths.filter(([, lines]) => lines > 80),
      []
    );
  });

  it('are all in the index, and name each example that is made for them', () => {
    const index = readFileSync(join(repository, 'docs', 'moving.md'), 'utf8');
    assert.deepEqual(
      pages.filter((page) => !index.includes(`(moving/${page})`)),
      []
    );
    const examples = exampleNames.filter(isMovingIn);
    const all = pages.map(read).join('\n');
    assert.ok(examples.length >= 6);
    assert.deepEqual(
      examples.filter((name) => !all.includes(`(../../${placeOfExample(name)})`)),
      []
    );
  });
});

/** What is said of those that need nothing but an account, by example. */
const stories: Record<string, Story[]> = {
  'from-node-red-contrib-aws': [
    { press: 'study, 18.2 °C', shows: { answer: 'Heating Study to 21 °C' }, payload: cold },
    {
      press: 'parameters',
      shows: { raw: 'status 200' },
      payload: { StatusCode: 200, Payload: JSON.stringify(warm), ExecutedVersion: '$LATEST' }
    },
    {
      press: 'no such function',
      shows: { error: 'ResourceNotFoundException' },
      error: { code: 'ResourceNotFoundException', message: /function:no-such-function/ }
    }
  ],
  'from-home-assistant-notify': [
    { press: 'to SNS', shows: { published: '1 published' } },
    { press: 'to SQS', shows: { sent: '1 sent' } },
    { press: 'to Lambda', shows: { invoked: '1 invoked' } }
  ],
  'from-elastic-io': [{ press: 'a pizza', shows: { done: 'pizza', sent: messageId } }],
  'from-prismatic': [
    { press: 'Ada', shows: { answer: 'Hello, Ada!' }, payload: { greeting: 'Hello, Ada!' } },
    { press: 'first page', shows: { page: '2 functions, and more' } }
  ]
};
/** The buttons of the others. */
const buttons: Record<string, string[]> = {
  'from-aws-iot-rule': ['for thermostat', 'for no function', 'too warm'],
  'home-assistant': ['look now', 'to SNS', 'to SQS', 'to Lambda'],
  'home-assistant-faces': ['scan', 'teach Jane']
};

describe('the examples for those who move in', () => {
  const examples = useExamples();
  const { environment, bench, queues, urlOf, requestToSns, signIn, offered, press, shown, play } = examples;
  const arn = (service: string, name: string): string => `arn:aws:${service}:us-east-1:111111111111:${name}`;

  async function deployed(name: string): Promise<FlowNode[]> {
    signIn('demo');
    environment.set({ CUSTOMER_KEYS: JSON.stringify(keysOf('second')) });
    const flow = await offered(name);
    await bench.red.deploy(flow);
    return flow;
  }

  it('are all tried here: every button is pressed', async () => {
    const pressed = { ...buttons };
    for (const [name, list] of Object.entries(stories)) pressed[name] = list.map(({ press: button }) => button);
    const there: Record<string, unknown[]> = {};
    for (const name of exampleNames.filter(isMovingIn)) {
      const flow = await readFlow(placeOfExample(name));
      there[name] = ofType(flow, 'inject').map(({ name }) => name);
    }
    assert.deepEqual(there, pressed);
  });

  it('say in their first comment what they need, and what to press', async () => {
    for (const name of exampleNames.filter(isMovingIn)) {
      const [first] = ofType(await readFlow(placeOfExample(name)), 'comment');
      assert.match(String(first?.name), /^Needs .*press/, name);
    }
  });

  for (const [name, list] of Object.entries(stories)) {
    for (const story of list) {
      it(`${name} shows the result at “${Object.keys(story.shows)}” when “${story.press}” is pressed`, async () => {
        await play(await deployed(name), story);
      });
    }
  }

  describe('from-home-assistant-notify', () => {
    /** What the notifier of Home Assistant posts: its `data` is a template that makes JSON of the call. */
    async function notify(service: string, call: Record<string, unknown>): Promise<Response> {
      await deployed('from-home-assistant-notify');
      const { message, title = null, target = [], data = null } = call;
      return bench.red.request(`notify/${service}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ message, call: JSON.stringify({ title, target, data }) })
      });
    }

    it('publishes to SNS with the title as subject and data as attributes', async () => {
      const call = {
        message: 'Somebody',
        title: 'Doorbell',
        target: [arn('sns', 'alerts')],
        data: { camera: 'porch' }
      };
      assert.equal((await notify('sns', call)).status, 200);
      const { TopicArn, Message, Subject, ...rest } = await requestToSns();
      assert.deepEqual([TopicArn, Message, Subject], [arn('sns', 'alerts'), 'Somebody', 'Doorbell']);
      const attributes = Object.entries(rest).filter(([key]) => /^MessageAttributes/.test(key));
      assert.deepEqual(
        attributes.map(([, text]) => text),
        ['camera', 'String', 'porch']
      );
    });

    it('publishes a call without a title with the one that Home Assistant gives', async () => {
      assert.equal((await notify('sns', { message: 'Somebody', target: [arn('sns', 'alerts')] })).status, 200);
      assert.equal((await requestToSns()).Subject, 'Home Assistant');
    });

    it('sends the whole call to SQS, with title, target and data as attributes', async () => {
      const url = urlOf('notifications');
      const call = { message: 'Somebody', title: 'Doorbell', target: [url], data: { camera: 'porch' } };
      assert.equal((await notify('sqs', call)).status, 200);
      const [message] = await queues.receive(url, { MessageAttributeNames: ['All'] });
      assert.deepEqual(JSON.parse(message?.Body ?? ''), call);
      assert.deepEqual(message?.MessageAttributes, {
        title: { DataType: 'String', StringValue: 'Doorbell' },
        target: { DataType: 'String.Array', StringValue: JSON.stringify([url]) },
        data: { DataType: 'String', StringValue: '{"camera":"porch"}' }
      });
    });

    it('invokes every function of the call, with an empty context', async () => {
      const target = ['echo', arn('lambda', 'function:echo')];
      const answer = await notify('lambda', { message: 'Somebody', target });
      const results = (await answer.json()) as { target: string; result: Record<string, Record<string, unknown>> }[];
      assert.equal(answer.status, 200);
      assert.deepEqual(
        results.map(({ result: { event, context } }) => [event, context?.clientContext]),
        target.map(() => [{ message: 'Somebody', target }, { custom: {} }])
      );
    });

    it('tells Home Assistant what failed, so that its log has it', async () => {
      const failed = await notify('sns', { message: 'Somebody', target: [arn('sns', 'no-such-topic')] });
      const { error } = (await failed.json()) as { error: string };
      assert.deepEqual([failed.status, error], [502, 'PartialFailure']);
      assert.equal((await notify('sms', { message: 'Somebody' })).status, 404);
    });
  });

  it('from-prismatic uses the keys of the customer, and never those of its account', async () => {
    const flow = await deployed('from-prismatic');
    await press(flow, 'Ada');
    await shown(flow, 'answer', 'Hello, Ada!');
    const [request] = (await bench.aws.requests()).filter(({ operation }) => operation === 'Invoke');
    assert.equal(request?.accessKeyId, signIns.second.accessKeyId);
    delete process.env.CUSTOMER_KEYS;
    await bench.red.deploy([]);
    await bench.red.deploy(flow);
    await press(flow, 'Ada');
    await shown(flow, 'error', 'MissingValue');
  });

  describe('from-elastic-io', () => {
    it('deletes what was done', async () => {
      const flow = await deployed('from-elastic-io');
      await press(flow, 'a pizza');
      const { payload } = await shown(flow, 'done', 'pizza');
      assert.deepEqual(plain((payload as { event: object }).event), { order: 7, dish: 'pizza' });
      assert.deepEqual(await queues.counts(urlOf('kitchen')), { visible: 0, hidden: 0, delayed: 0 });
    });

    it('returns what failed, to come again a minute later', async () => {
      signIn('demo');
      const flow = await offered('from-elastic-io');
      named(flow, 'aws-lambda-invoke', 'invoke').functionName = 'fails';
      await bench.red.deploy(flow);
      await press(flow, 'a pizza');
      await shown(flow, 'error', 'FunctionError');
      const [request] = await queues.requests('ChangeMessageVisibility');
      assert.equal(request?.input.VisibilityTimeout, 60);
    });
  });

  describe('from-aws-iot-rule', () => {
    const { deployed: withBroker, publish } = useBroker(examples);
    const deployRule = (): Promise<FlowNode[]> => withBroker('from-aws-iot-rule', 'AWS IoT Core');

    it('invokes the function of the topic, with what the rule selects', async () => {
      const flow = await deployRule();
      await press(flow, 'for thermostat');
      assert.deepEqual((await shown(flow, 'accepted', 'status 202')).payload, accepted);
      await bench.aws.until({ invocations: 1, functionName: 'thermostat', finished: true });
      const [run] = await bench.aws.invocations();
      assert.ok(run);
      const { time, ...event } = run.event as Record<string, unknown>;
      assert.deepEqual(event, { room: 'Study', temperature: 18.2, target: 21, function: 'thermostat' });
      assert.ok(Math.abs(Number(time) - Date.now()) < 600_000);
    });

    it('leaves alone what WHERE does not choose', async () => {
      const flow = await deployRule();
      await press(flow, 'too warm');
      await publish('functions/hello', '{"temperature": 20}');
      await shown(flow, 'accepted', 'status 202');
      await bench.aws.until({ invocations: 1, finished: true });
      assert.deepEqual(
        (await bench.aws.invocations()).map(({ functionName }) => functionName),
        ['hello']
      );
    });

    it('has an error action that reports as that of a rule does', async () => {
      const flow = await deployRule();
      await press(flow, 'for no function');
      await shown(flow, 'error', 'ResourceNotFoundException');
      await shown(flow, 'reported', 'reported');
      const [message] = await queues.receive(urlOf('notifications'));
      const { failures, base64OriginalPayload, ...report } = JSON.parse(message?.Body ?? '');
      assert.deepEqual(report, { ruleName: 'functions', topic: 'functions/no-such-function' });
      assert.deepEqual(JSON.parse(Buffer.from(base64OriginalPayload, 'base64').toString()), {
        room: 'Study',
        temperature: 18.2
      });
      const [{ failedAction, failedResource, errorMessage }] = failures;
      assert.deepEqual([failedAction, failedResource], ['LambdaAction', 'no-such-function']);
      assert.match(errorMessage, /no-such-function/);
    });
  });

  describe('with Home Assistant,', () => {
    let home: HomeAssistant;
    let camera: Camera;
    let folder: string;

    before(async () => {
      registerHomeAssistantNodes();
      camera = await startCamera();
    });
    after(() => camera.close());
    beforeEach(async () => {
      home = await HomeAssistant.start();
      folder = mkdtempSync(join(tmpdir(), 'nimbus-home-'));
    });
    afterEach(async () => {
      await bench.red.deploy([]);
      await home.stop();
      rmSync(folder, { recursive: true });
    });

    /** What the camera of the porch shows so many seconds after the demo's film begins. */
    async function showPorch(second: number): Promise<void> {
      const picture = await fetch(`${camera.url}/porch.jpg?t=${second}`);
      home.cameras.set('camera.porch', Buffer.from(await picture.arrayBuffer()));
    }
    const somebody = 15;
    const nobody = 1;

    /** The example as a user has it who enters address and token of the server, and a folder that there is. */
    async function deployExample(name: string): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered(name);
      const server = named(flow, 'server', 'Home Assistant');
      server.addon = false;
      for (const node of ofType(flow, 'aws-rekognition-detect')) if (node.saveFolder) node.saveFolder = folder;
      await bench.red.deploy(flow, { credentials: { [server.id]: { host: home.url, access_token: home.token } } });
      await bench.red.until(() => home.heard, 'Node-RED to listen to Home Assistant');
      return flow;
    }
    async function called(action: string): Promise<Record<string, unknown>> {
      const found = (): HaCall | undefined => home.calls.find((call) => call.action === action);
      const call = await bench.red.until(found, `a call of ${action}`);
      assert.ok(call);
      return call.data;
    }
    async function stateOf(entity: string): Promise<HaState> {
      const state = await bench.red.until(() => home.states.get(entity), `the state of ${entity}`);
      assert.ok(state);
      return state;
    }
    const fired = (type: string): Record<string, unknown>[] =>
      home.events.filter((event) => event.event_type === type).map(({ data }) => data);

    it('motion makes a sensor, a notification with the picture, and an event for each face', async () => {
      await showPorch(somebody);
      const flow = await deployExample('home-assistant');
      home.setState('binary_sensor.porch_motion', 'off');
      home.setState('binary_sensor.porch_motion', 'on');
      await shown(flow, 'seen', '1 person, 0 car, 0 dog');
      const { title, message, data } = await called('notify.mobile_app_phone');
      const file = readdirSync(folder).find((name) => name !== 'porch_latest.jpg');
      const image = `/media/local/nimbus/${file}`;
      assert.deepEqual([title, message, data], ['Porch', '1 person', { image }]);
      const sensor = await stateOf('sensor.porch_rekognition');
      assert.equal(sensor.state, '1');
      assert.deepEqual(
        [sensor.attributes.summary, sensor.attributes.targets_found],
        [{ person: 1, car: 0, dog: 0 }, ['person']]
      );
      await shown(flow, 'fired', /^unknown \d+ %$/);
      const [{ name, confidence, entity_id } = {}] = fired('image_processing.detect_face');
      assert.deepEqual([name, entity_id], ['unknown', 'image_processing.porch']);
      assert.ok(Number(confidence) > 90);
      const asked = (await bench.aws.requests()).map(({ operation }) => operation);
      assert.equal(
        asked.filter((operation) => operation === 'DetectLabels').length,
        1,
        'the motion that ended asks nothing'
      );
    });

    it('an empty porch counts as 0 in the sensor, and nobody is told', async () => {
      await showPorch(nobody);
      const flow = await deployExample('home-assistant');
      await press(flow, 'look now');
      await shown(flow, 'seen', '0 person, 0 car, 0 dog');
      const sensor = await stateOf('sensor.porch_rekognition');
      assert.equal(sensor.state, '0');
      assert.deepEqual([home.calls, fired('image_processing.detect_face'), readdirSync(folder)], [[], [], []]);
      const asked = (await bench.aws.requests()).map(({ operation }) => operation);
      assert.ok(asked.includes('DetectLabels') && !asked.includes('DetectFaces'), asked.join());
    });

    it('a call of notify.sns is published, with title and data', async () => {
      const flow = await deployExample('home-assistant');
      await press(flow, 'to SNS');
      await shown(flow, 'published', '1 published');
      const { TopicArn, Message, Subject, ...rest } = await requestToSns();
      assert.deepEqual(
        [TopicArn, Message, Subject],
        [arn('sns', 'alerts'), 'Somebody is at the front door', 'Doorbell']
      );
      const attributes = Object.entries(rest).filter(([key]) => /^MessageAttributes/.test(key));
      assert.deepEqual(
        attributes.map(([, text]) => text),
        ['camera', 'String', 'porch']
      );
    });

    it('a call of notify.sqs is sent to each queue, with title, target and data as attributes', async () => {
      const flow = await deployExample('home-assistant');
      await press(flow, 'to SQS');
      await shown(flow, 'sent', '1 sent');
      const [message] = await queues.receive(urlOf('notifications'), { MessageAttributeNames: ['All'] });
      const call = home.calls.find(({ action }) => action === 'notify.sqs')?.data;
      assert.deepEqual(JSON.parse(message?.Body ?? ''), call);
      assert.deepEqual(Object.keys(message?.MessageAttributes ?? {}).sort(), ['data', 'target', 'title']);
    });

    it('a call of notify.lambda invokes each function, with Home Assistant in the context', async () => {
      const flow = await deployExample('home-assistant');
      await press(flow, 'to Lambda');
      const { payload } = await shown(flow, 'invoked', '1 invoked');
      const [{ result }] = plain(payload) as [{ result: { event: object; context: Record<string, unknown> } }];
      assert.deepEqual(result.event, { message: 'Somebody is at the front door', target: ['echo'] });
      const { components: _, elevation: __, ...hass } = home.config;
      assert.deepEqual(result.context.clientContext, { hass, custom: { source: 'Node-RED' } });
    });

    it('an event does as well as a call', async () => {
      const flow = await deployExample('home-assistant');
      const call = { message: 'Somebody', target: arn('sns', 'alerts') };
      home.fire('aws_notify', { service: 'sns', service_data: call });
      await shown(flow, 'published', '1 published');
      const { Message, Subject } = await requestToSns();
      assert.deepEqual([Message, Subject], ['Somebody', 'Home Assistant']);
    });

    it('other notifiers are left alone', async () => {
      const flow = await deployExample('home-assistant');
      home.call('notify.mobile_app_phone', { message: 'Not for AWS', target: [arn('sns', 'alerts')] });
      home.call('notify.sns', { message: 'For AWS', target: [arn('sns', 'alerts')] });
      await shown(flow, 'published', '1 published');
      assert.equal((await requestToSns()).Message, 'For AWS');
    });

    it('what fails is shown in Home Assistant', async () => {
      const flow = await deployExample('home-assistant');
      home.call('notify.sns', { message: 'Nobody', target: arn('sns', 'no-such-topic') });
      await shown(flow, 'error', 'NotFoundException');
      const { message, notification_id } = await called('persistent_notification.create');
      assert.match(String(message), /^publish: /);
      assert.equal(notification_id, 'nimbus');
      await press(flow, 'look now');
      await shown(flow, 'error', /Request fail/);
    });

    it('a face is taught by an event, and then known by its name: in the entity and in events', async () => {
      await showPorch(somebody);
      const flow = await deployExample('home-assistant-faces');
      const path = join(folder, 'jane.jpg');
      writeFileSync(path, home.cameras.get('camera.porch') as Buffer);
      home.fire('aws_index_face', { image_id: 'Jane', image_path: path });
      await shown(flow, 'taught', 'Jane: 1 taught');
      assert.equal((await called('persistent_notification.create')).message, 'Jane: 1 taught, 0 not');
      await press(flow, 'scan');
      await shown(flow, 'people', '1 faces, 1 known');
      const entity = await stateOf('image_processing.demo_face_detection');
      const { faces, total_faces, saved_file } = entity.attributes as { faces: Record<string, unknown>[] } & Record<
        string,
        unknown
      >;
      assert.deepEqual([entity.state, faces.length, total_faces, faces[0]?.name], ['Jane', 1, 1, 'Jane']);
      assert.ok(['Male', 'Female'].includes(String(faces[0]?.gender)));
      assert.ok(readdirSync(folder).includes(String(saved_file).split(sep).pop() ?? ''));
      await shown(flow, 'fired', /^Jane \d+ %$/);
      assert.deepEqual(fired('image_processing.detect_face'), faces);
    });

    it('an automation can ask for a picture to be looked at, and nobody is an entity without faces', async () => {
      await showPorch(nobody);
      const flow = await deployExample('home-assistant-faces');
      home.fire('aws_scan', {});
      await shown(flow, 'people', '0 faces, 0 known');
      const entity = await stateOf('image_processing.demo_face_detection');
      assert.deepEqual([entity.state, entity.attributes.faces, entity.attributes.total_faces], ['unknown', [], 0]);
    });

    it('paths of Home Assistant are those of its add-on, and a picture that is not there is told', async () => {
      const flow = await deployExample('home-assistant-faces');
      await press(flow, 'teach Jane');
      const { error } = await shown(flow, 'error', 'InvalidValue');
      assert.match(String((error as Error).message), /\/homeassistant\/images\/Jane\.jpg|no such file/);
      assert.match(String((await called('persistent_notification.create')).message), /^index: /);
    });
  });
});
