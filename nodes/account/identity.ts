import type { Credentials } from '../fields/fields';

/** Credentials as the SDK's providers return them. */
export interface Identity extends Credentials {
  expiration?: Date;
  /** The expiration that an EC2 instance stated, if the SDK has replaced it because of this machine's clock. */
  originalExpiration?: Date;
  /** Where the SDK has found them, such as CREDENTIALS_ENV_VARS. */
  $source?: Record<string, unknown>;
}
