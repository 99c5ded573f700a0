/** Whatever was thrown on the way of a message becomes one clear error: this must not fail itself. */
import assert from 'node:assert/strict';
import { toActionError } from '../nodes/lib/failures';
import { kindOf, show } from '../nodes/lib/fields';

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

const things: Record<string, unknown> = {
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

    it(`can be quoted as a value: ${what}`, () => {
      assert.ok(show(thing).length < 100);
      assert.ok(kindOf(thing).length < 30);
    });
  }

  it('can be quoted in no time however long it is', () => {
    const began = performance.now();
    assert.match(show('/'.repeat(5_000_000)), /^"\/{60}"…$/);
    assert.match(show(`https://user:password@host/${'x'.repeat(100)}`), /^"https:\/\/\*\*\*@host/);
    assert.ok(performance.now() - began < 500);
  });
});
