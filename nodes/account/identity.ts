import type { Credentials } from '../fields/fields';

/** Credentials as the SDK's providers return them. */
export interface Identity extends Credentials {
  expiration?: Date;
  /** The expiration that an EC2 instance stated, if the SDK has replaced it because of this machine's clock. */
  originalExpiration?: Date;
  /** Where the SDK has found them, such as CREDENTIALS_ENV_VARS. */
  $source?: Record<string, unknown>;
}

/** Asks for credentials. */
export type Provider = () => Promise<Identity>;

/** The SDK's own name for the error of a sign-in that found no keys. */
export const noKeysName = 'CredentialsProviderError';
export const noKeys = (text: string): Error => Object.assign(new Error(text), { name: noKeysName });

/** Throws for keys with characters that Node.js refuses in headers, such as typographic quotes from pasted text. */
export function checkKeys({ accessKeyId, secretAccessKey, sessionToken = '' }: Identity): void {
  if (/^[\x21-\x7e]*$/.test(accessKeyId + secretAccessKey + sessionToken)) return;
  throw noKeys('The keys hold blanks or other characters that no key has.');
}
