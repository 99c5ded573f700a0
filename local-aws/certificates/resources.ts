/** What devices name when they sign in: role aliases of IoT Core, trust anchors and profiles of Roles Anywhere. */
import { roles, signIns } from '../server/sign-ins';

const account = signIns.demo.account;
const region = 'us-east-1';
const uuid = (digit: number) => `00000000-0000-4000-8000-${String(digit).padStart(12, '0')}`;
const anywhere = (kind: string, digit: number) => `arn:aws:rolesanywhere:${region}:${account}:${kind}/${uuid(digit)}`;

/** The role aliases of IoT Core: `missing` names a role that does not trust it. */
export const roleAliases = {
  device: { name: 'nimbus-device', role: roles.device, seconds: 3600 },
  missing: { name: 'nimbus-missing', role: roles.demo, seconds: 3600 }
} as const;

/** The trust anchors of Roles Anywhere: of `other` the certificate is that of another authority. */
export const trustAnchors = { devices: anywhere('trust-anchor', 1), other: anywhere('trust-anchor', 2) } as const;

/** The profiles of Roles Anywhere: only `named` takes the name of a session; `disabled` is switched off. */
export const profiles = {
  devices: anywhere('profile', 1),
  named: anywhere('profile', 2),
  disabled: anywhere('profile', 3)
} as const;
