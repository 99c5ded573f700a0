import { invalid } from './errors';

const sources = ['msg', 'flow', 'global', 'env', 'jsonata'];
const preferring = (first, ...literals) => [first, ...[...literals, ...sources].filter((type) => type !== first)];
const kindOf = (value) => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (Buffer.isBuffer(value)) return 'a Buffer';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
};
/** A short quote of a value for the text of an error. */
function show(value) {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return kindOf(value);
  return value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}…` : JSON.stringify(value);
}
function checkText(value, name, { pattern, is = 'text', maxLength = Infinity }) {
  if (typeof value !== 'string') throw invalid(`${name} must be ${is}, but is ${kindOf(value)}.`);
  if (value.length > maxLength) {
    throw invalid(`${name} may have at most ${maxLength} characters, but has ${value.length}.`);
  }
  if (pattern && !pattern.test(value)) throw invalid(`${name} must be ${is}, but is ${show(value)}.`);
  return value;
}
function checkNumber(value, name, { min, max, integer = false }) {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const fits = typeof number === 'number' && number >= min && number <= max && (!integer || Number.isInteger(number));
  if (!fits) {
    throw invalid(
      `${name} must be a ${integer ? 'whole number' : 'number'} from ${min} to ${max}, but is ${show(value)}.`
    );
  }
  return number;
}
/** What plain and typed text have in common. */
const textual = ({ pattern, is, maxLength, ...layout }) => ({
  control: 'text',
  value: '',
  required: true,
  pattern,
  maxLength,
  ...layout,
  check: (found, name) => checkText(found, name, { pattern, is, maxLength })
});
/** Text from any source. */
export function text({ value = '', from = 'str', ...limits } = {}) {
  return { ...textual(limits), types: preferring(from, 'str'), value };
}
/** A number from any source; text that is a number will do. */
export function number({ min, max, integer = false, value = '', from = 'num', ...layout }) {
  return {
    control: 'number',
    types: preferring(from, 'num'),
    value,
    required: true,
    min,
    max,
    integer,
    ...layout,
    check: (found, name) => checkNumber(found, name, { min, max, integer })
  };
}
/** Any value that can be written as JSON. */
export function json({ value = '', from = 'json', ...layout } = {}) {
  return {
    control: 'json',
    types: preferring(from, 'json', 'str', 'num', 'bool'),
    value,
    required: true,
    ...layout,
    check: (found) => found
  };
}
function checkCredentials(value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${name} must be an object {accessKeyId, secretAccessKey, sessionToken?}, but is ${kindOf(value)}.`);
  }
  const { accessKeyId, secretAccessKey, sessionToken } = value;
  const key = (member, member_) => {
    if (typeof member !== 'string' || member === '')
      throw invalid(`${name}.${member_} must be text that is not empty.`);
    // A line break would end up in a header; Node.js refuses it only after quoting it.
    if (!/^[\x21-\x7e]+$/.test(member)) throw invalid(`${name}.${member_} must not hold blanks or control characters.`);
    return member;
  };
  return {
    accessKeyId: key(accessKeyId, 'accessKeyId'),
    secretAccessKey: key(secretAccessKey, 'secretAccessKey'),
    ...(sessionToken !== undefined &&
      sessionToken !== null &&
      sessionToken !== '' && { sessionToken: key(sessionToken, 'sessionToken') })
  };
}
/** Credentials that a message brings; never a literal, since a flow file is no place for secrets. */
export function credentials(layout = {}) {
  return {
    control: 'credentials',
    types: sources,
    value: '',
    required: true,
    secret: true,
    ...layout,
    check: checkCredentials
  };
}
/** One of a fixed list; the first is the default. */
export function choice(options, layout = {}) {
  return {
    control: 'choice',
    value: options[0],
    required: true,
    options,
    ...layout,
    check(value, name) {
      const found = options.find((option) => option === value);
      if (found === undefined) throw invalid(`${name} must be one of ${options.join(', ')}, but is ${show(value)}.`);
      return found;
    }
  };
}
/** A checkbox. */
export function flag(value, layout = {}) {
  return {
    control: 'flag',
    value,
    required: true,
    ...layout,
    check(found, name) {
      if (typeof found === 'boolean') return found;
      if (found === 'true' || found === 'false') return found === 'true';
      throw invalid(`${name} must be true or false, but is ${show(found)}.`);
    }
  };
}
/** A plain number, stored as a number or as its text. */
export function plainNumber(value, { min, max, integer = false, ...layout }) {
  return {
    control: 'number',
    value,
    required: true,
    min,
    max,
    integer,
    ...layout,
    check: (found, name) => checkNumber(found, name, { min, max, integer })
  };
}
/** Plain text that may hold `${ENV}`. */
export const plainText = (limits = {}) => textual(limits);
/** Text for Node-RED's credential store; its value is never quoted. */
export function stored(kind, limits = {}) {
  const { pattern, is = 'text' } = limits;
  return {
    ...textual(limits),
    control: kind === 'password' ? 'secret' : 'text',
    stored: kind,
    secret: true,
    check(found, name) {
      if (typeof found !== 'string' || (pattern && !pattern.test(found))) throw invalid(`${name} must be ${is}.`);
      return found;
    }
  };
}
/** The field may be left out: blank, `undefined`, `null` and empty text all mean absent. */
export function optional(field) {
  return { ...field, required: false };
}
/** The field may resolve to an array: each element is then a target of its own. */
export function many(field) {
  return { ...field, many: true, types: [...(field.types ?? []), 'json'] };
}
/** A region name makes a host name: letters, digits and hyphens, so that new and private regions work. */
export const regionPattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
export const regionIs = 'a region name such as eu-west-1';
/** The region that an ARN names, if it names one. */
export function regionOfArn(target) {
  const parts = target.split(':');
  return parts[0] === 'arn' && parts.length >= 6 && parts[3] ? parts[3] : undefined;
}
