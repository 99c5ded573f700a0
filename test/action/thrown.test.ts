/** Whatever was thrown on the way of a message becomes one clear error: this must not fail itself. */
import assert from 'node:assert/strict';
import { couldNotConnect } from '../../nodes/account/network-failures';
import { redact } from '../../nodes/account/redaction';
import { isBecomingReady, mayPass, wasThrottled } from '../../nodes/account/retryable';
import { credentialsRefused, signatureRefused } from '../../nodes/account/service-errors';
import { toActionError } from '../../nodes/account/to-action-error';
import { ActionError, copyError, valueError } from '../../nodes/fields/errors';
import { kindOf, show } from '../../nodes/fields/fields';
import { asLogEntry } from '../../nodes/fields/lines';
import { metadataOf, nameOf, reasonOf, textOf } from '../../nodes/fields/thrown';
import { refusedTogether } from '../../nodes/messaging/target-batches';
import { workTime } from '../work-time';

/** A proxy that throws at each look. */
function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}
const circular: Record<string, unknown> = {};
circular.itself = circular;
const trap = (name: string): object =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get() {
      throw new RangeError('a trap');
    }
  });

const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
/** An error that throws at each look, something else than an error. */
const hostile = (): object => {
  const trap = (): never => {
    throw { errors: null };
  };
  return new Proxy(new Error('no'), { get: trap, getPrototypeOf: trap, has: trap, ownKeys: trap });
};

const things: Record<string, unknown> = {
  'an error that throws at each look': hostile(),
  'an object whose message is a number': { message: 5 },
  'an object whose message is a bigint': { message: 10n },
  'an object whose errors are null': { errors: null },
  'errors that contain themselves': containing(),
  'errors in errors, 20,000 deep': nestedErrors(20_000),
  'a name, a message and a code of 20,000 levels': {
    name: nested(20_000),
    message: nested(20_000),
    code: nested(20_000)
  },
  'a name and a code that give no text': { name: { toString: 1 }, code: { toString: 1 }, message: { toString: 1 } },
  'an answer whose every member is an object': Object.assign(new Error('no'), {
    name: { toString: 1 },
    $fault: { toString: 1 },
    $metadata: { httpStatusCode: {}, requestId: {}, attempts: {} },
    $response: { statusCode: {} },
    syscall: {}
  }),
  nothing: undefined,
  null: null,
  text: 'no',
  'empty text': '',
  'a number': 17,
  'a bigint': 17n,
  'a symbol': Symbol('no'),
  'a function': () => 1,
  'an object without a prototype': Object.create(null),
  'an object that contains itself': circular,
  'a list': [1, 2],
  'a proxy that was revoked': revoked({}),
  'a function that was revoked': revoked(() => 1),
  'an error that was revoked': revoked(new Error('no')),
  'an error whose name is a bigint': Object.assign(new Error('no'), { name: 17n }),
  'an error whose name is a symbol': Object.assign(new Error('no'), { name: Symbol('no') }),
  'an error whose message is an object that contains itself': Object.assign(new Error('no'), { message: circular }),
  'an error whose errors are no list': Object.assign(new Error('no'), { errors: 'many' }),
  'an error whose errors are nothing': Object.assign(new Error('no'), { errors: [null, undefined] }),
  'an error whose code is an object': Object.assign(new Error('no'), { code: {} }),
  'an error with metadata that are text': Object.assign(new Error('no'), { $metadata: 'no', $response: 5 }),
  'a TypeError': new TypeError('no'),
  'a RangeError': new RangeError('no'),
  'a SyntaxError': new SyntaxError('no'),
  'an error of its own kind': new (class extends Error {})('no'),
  'an error without text': new Error(),
  'an error with a text of a million characters': new Error('no '.repeat(333_333)),
  ...Object.fromEntries(
    ['name', 'message', 'code', 'errors', 'cause', '$metadata', '$response', 'toString'].map((name) => [
      `an object whose ${name} cannot be read`,
      trap(name)
    ])
  )
};

function containing(): object {
  const error: Record<string, unknown> = {};
  error.errors = [error];
  return error;
}
function nestedErrors(depth: number): object {
  let error: object = { syscall: 'connect' };
  for (let level = 0; level < depth; level += 1) error = { errors: [error] };
  return error;
}

/** What looks at a thrown thing before an error is made of it. */
const looks: Record<string, (thrown: unknown) => unknown> = {
  couldNotConnect,
  refusedTogether,
  credentialsRefused,
  signatureRefused,
  wasThrottled,
  isBecomingReady,
  mayPass,
  copyError,
  nameOf,
  metadataOf,
  reasonOf,
  valueError: (thrown) => valueError('payload', thrown)
};

describe('what was thrown', () => {
  for (const [what, thing] of Object.entries(things)) {
    it(`becomes an error with all that the contract says: ${what}`, () => {
      const error = toActionError(thing, { service: 'sqs', operation: 'SendMessage', secrets: ['a secret text'] });
      assert.ok(error instanceof Error);
      assert.equal(error.name, error.code);
      assert.doesNotMatch(error.name, /^(|Error|(Type|Range|Reference|Syntax)Error)$/);
      assert.ok(typeof error.message === 'string' && error.message.length > 0 && error.message.length <= 1001);
      assert.deepEqual([error.service, error.operation], ['sqs', 'SendMessage']);
      assert.equal(typeof error.retryable, 'boolean');
      assert.doesNotThrow(() => structuredClone(error.cause));
      assert.equal(String(error).includes(error.message), true);
    });

    it(`can be looked at: ${what}`, () => {
      for (const look of Object.values(looks)) assert.doesNotThrow(() => look(thing), String(look));
    });

    it(`can be quoted as a value: ${what}`, () => {
      assert.ok(show(thing).length < 100);
      assert.ok(kindOf(thing).length < 30);
    });
  }

  it('can be quoted in no time however long it is', () => {
    const began = workTime();
    assert.match(show('/'.repeat(5_000_000)), /^"\/{60}"…$/);
    assert.match(show(`https://user:password@host/${'x'.repeat(100)}`), /^"https:\/\/\*\*\*@host/);
    assert.ok(workTime() - began < 500);
  });

  /** What may not be written as a text, and what comes of it where that is tried all the same. */
  const unwritable = (bytes: Buffer): Buffer =>
    Object.assign(bytes, {
      toJSON(): never {
        throw new Error('it was written');
      }
    });
  const longOnes: Record<string, () => unknown> = {
    'a Buffer of 16 MB': () => unwritable(Buffer.alloc(16 * 1024 * 1024, 200)),
    'a list of 50 million holes': () => new Array(50_000_000),
    'a list with such a Buffer deep inside': () => [{ a: [unwritable(Buffer.alloc(16 * 1024 * 1024, 200))] }],
    'an integer of a million digits': () => 2n ** 3_300_000n
  };
  for (const [what, make] of Object.entries(longOnes)) {
    it(`is not written where it would be far too long: ${what}`, () => {
      const long = make();
      const { heapUsed } = process.memoryUsage();
      const said = 'something too long to be shown';
      assert.equal(textOf(long).slice(0, 100), said);
      assert.equal(reasonOf({ message: long }), said);
      assert.equal(valueError('payload', { code: long }).message, `payload cannot be read: ${said}.`);
      assert.ok(toActionError({ message: long, name: long }, { secrets: [] }).message.includes(said));
      assert.equal(wasThrottled({ name: long, message: long }), false);
      const grown = (process.memoryUsage().heapUsed - heapUsed) / 1024 / 1024;
      assert.ok(grown < 60, `${grown.toFixed()} MB of heap were made of it`);
    });
  }

  it('becomes an error in which no secret stands, however long that is', () => {
    for (const length of [12, 500, 501, 20_000, 1_000_000]) {
      const secret = 'Ab/'.repeat(length).slice(0, length);
      for (const text of [secret, encodeURIComponent(secret)]) {
        assert.equal(redact(`no ${text} here`, [secret]), 'no *** here');
        const { message, name } = toActionError(new ActionError('No', `no ${text} here`), { secrets: [secret] });
        assert.deepEqual([name, message.includes('Ab')], ['No', false]);
      }
    }
  });

  it('is shown without what would clear a console, forge a line or turn the direction of a text', () => {
    const text = 'a\u001b[2Jb\r\nc\u202ed\u2066e\u200ff\u009bg\u2028h\u0000\u061c';
    const plain = 'a [2Jb cdef g h';
    const clean = /^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]*$/u;
    const error = new ActionError(text, text);
    assert.deepEqual([error.name, error.code, error.message], [plain, plain, plain]);
    assert.equal(reasonOf({ message: text }), plain);
    const told = toActionError(Object.assign(new Error(text), { name: text, $metadata: { requestId: text } }), {
      secrets: []
    });
    assert.match(JSON.stringify([told, told.message]), clean);
    // A member of an error keeps its lines; as a text it is one.
    assert.equal((told.cause as Error).message, 'a[2Jb\r\ncdefg\u2028h');
    assert.equal(String(told.cause), `${plain}: a[2Jb cdefg h`);
    assert.equal(told.requestId, plain);
  });

  it('is one entry of a log, whatever lines it has', () => {
    const forged = '1 Jan 00:00:00 - [error] forged';
    for (const end of ['\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029']) {
      assert.equal(asLogEntry(`one${end}${forged}${end}\u001b[2J${end}`), `one\n  | ${forged}\n  | [2J`);
    }
  });
});
