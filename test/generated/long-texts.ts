/**
 * Texts as long as a stranger can make them: of one character, of two in turn, and with another one at the end. What takes the
 * square of a text's length takes minutes with these.
 */
import fc from 'fast-check';

export interface LongText {
  head: string;
  unit: string;
  end: string;
  length: number;
}

const character = fc.oneof(
  fc.constantFrom('/', ' ', '.', '\n', ':', '@'),
  fc.constantFrom(...'a0-_=+,"\'\\{}[]()<>$%#&*?!|~^`;\t\0ü花\u202e', '👍', '\ud83d')
);
/** What begins something in many a format, or escapes a character of it. */
const begun = fc.constantFrom('\\"', '":', '${', '%2', '&#', '<!', '[{', '$(');
/** What a field looks for before it looks further. */
const head = fc.constantFrom(
  'https://',
  'https://sqs.us-east-1.amazonaws.com/111111111111/',
  'arn:aws:sns:us-east-1:111111111111:',
  'arn:aws:lambda:us-east-1:111111111111:function:',
  'data:image/png;base64,',
  's3://bucket/',
  'file:///',
  '+1',
  '"',
  '["',
  '{"a":',
  'x'
);

/** A megabyte; as long as a path or a key may be at most; and as a URL, or a subject, may be. */
const length = fc.constantFrom(1_000_000, 1_000_000, 65_000, 2000);

export const anyLongText: fc.Arbitrary<LongText> = fc.record({
  head: fc.oneof({ arbitrary: fc.constant(''), weight: 1 }, { arbitrary: head, weight: 2 }),
  unit: fc.oneof(
    character,
    begun,
    fc.tuple(character, character).map(([one, other]) => one + other)
  ),
  end: fc.oneof({ arbitrary: fc.constant(''), weight: 1 }, { arbitrary: character, weight: 2 }),
  length
});

export const writeLongText = ({ head, unit, end, length }: LongText): string =>
  head + unit.repeat((length - head.length - end.length) / unit.length) + end;

/** Where a value of a field may hold a text. */
export const shapes: Record<string, (text: string) => unknown> = {
  'by itself': (text) => text,
  'in a list': (text) => [text],
  'as JSON': (text) => JSON.stringify(text),
  'as bytes': (text) => Buffer.from(text),
  'as a member': (text) => ({ a: text, name: text, default: text, custom: text }),
  'as the name of a member': (text) => ({ [text]: 'a' }),
  'as the type of an attribute': (text) => ({ a: { DataType: text, StringValue: 'x' } }),
  'as an attribute': (text) => ({ a: { DataType: 'String.Array', StringValue: text } }),
  'as keys': (text) => ({ accessKeyId: text, secretAccessKey: text, sessionToken: text }),
  'as the name of a picture': (text) => ({ S3Object: { Bucket: text, Name: text, Version: text } }),
  'as a handle': (text) => ({ handle: text })
};
/** One of them, most often the text by itself. */
export const anyShape = fc.oneof(fc.constant('by itself'), fc.constantFrom(...Object.keys(shapes)));
