/** Writes DER, the encoding of certificates (ITU-T X.690), as far as these need it. */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18
} as const;

/** A value with its tag and length. */
export function tagged(tag: keyof typeof tags | number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length.toString(16);
  const bytes = Buffer.from(size.padStart(size.length + (size.length % 2), '0'), 'hex');
  const length = content.length < 0x80 ? bytes : Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
  return Buffer.concat([Buffer.from([typeof tag === 'number' ? tag : tags[tag]]), length, content]);
}

export const sequence = (...parts: Buffer[]): Buffer => tagged('sequence', ...parts);

/** An integer of any size, in two's complement. */
export function integer(value: bigint): Buffer {
  let bytes = 1;
  while (BigInt.asIntN(8 * bytes, value) !== value) bytes += 1;
  const hex = BigInt.asUintN(8 * bytes, value).toString(16);
  return tagged('integer', Buffer.from(hex.padStart(2 * bytes, '0'), 'hex'));
}

/** An object identifier such as 2.5.4.3. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return tagged('oid', Buffer.from(bytes));
}

export const utf8 = (text: string): Buffer => tagged('utf8', Buffer.from(text));

/** A time in whole seconds; from 2050 on it has four digits for the year, as RFC 5280 wants it. */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? tagged('utcTime', Buffer.from(text.slice(2)))
    : tagged('generalizedTime', Buffer.from(text));
}

/** A string of whole bytes. */
export const bitString = (bytes: Buffer): Buffer => tagged('bitString', Buffer.from([0]), bytes);

/** Bytes as PEM, such as a `CERTIFICATE`. */
export const pem = (name: string, bytes: Buffer): string =>
  `-----BEGIN ${name}-----\n${bytes.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${name}-----\n`;
