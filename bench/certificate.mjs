/** A self-signed certificate for 127.0.0.1, made anew each time: no private key lies around. DER as in RFC 5280. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sequence = 0x30;
const set = 0x31;
const integer = 0x02;
const bitString = 0x03;
const octetString = 0x04;
const utf8 = 0x0c;
const utcTime = 0x17;

/** Object identifiers, encoded. */
const commonName = Buffer.from('0603550403', 'hex');
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');
const basicConstraints = Buffer.from('0603551d13', 'hex');
const subjectAltName = Buffer.from('0603551d11', 'hex');
const yes = Buffer.from('0101ff', 'hex');

function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

const text = (tag, value) => der(tag, Buffer.from(value));
const time = (date) => text(utcTime, `${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`);
const pem = (name, bytes) =>
  `-----BEGIN ${name}-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${name}-----\n`;

/** The private key and the certificate, which is its own authority, as PEM. Good for a day. */
export function makeCertificate() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const now = Date.now();
  const day = 24 * 3600 * 1000;
  const name = der(sequence, der(set, der(sequence, commonName, text(utf8, 'Nimbus bench'))));
  const algorithm = der(sequence, ecdsaWithSha256);
  const address = der(0x87, Buffer.from([127, 0, 0, 1]));
  const extensions = der(
    sequence,
    der(sequence, basicConstraints, yes, der(octetString, der(sequence, yes))),
    der(sequence, subjectAltName, der(octetString, der(sequence, address)))
  );
  const body = der(
    sequence,
    der(0xa0, der(integer, Buffer.from([2]))),
    der(integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(sequence, time(new Date(now - day)), time(new Date(now + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions)
  );
  const signature = sign('sha256', body, privateKey);
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificate: pem('CERTIFICATE', der(sequence, body, algorithm, der(bitString, Buffer.from([0]), signature)))
  };
}
