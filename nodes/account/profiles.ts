/**
 * The shared files of the machine that Node-RED runs on, `~/.aws/config` and `~/.aws/credentials`, as the SDK reads
 * them.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { invalid } from '../fields/errors';
import { regionIs, regionPattern, show } from '../fields/fields';
import { serviceNames } from './sdks';

type Section = Readonly<Record<string, string | undefined>>;

type ConfigModule = typeof import('@smithy/core/config');
let loaded: ConfigModule | undefined;

/** The SDK's reader of the shared files. It is a dependency of the SDK, so it has to be resolved from there. */
function reader(): ConfigModule {
  const config: ConfigModule =
    loaded ?? createRequire(require.resolve('@aws-sdk/credential-providers'))('@smithy/core/config');
  loaded = config;
  return config;
}

/**
 * Other sections of the files are no profiles; with control characters a name is a line of a broken file, maybe a
 * secret.
 */
const isProfile = (name: string): boolean => !/^(sso-session|services)\.|\p{Cc}/u.test(name);

/** The names of all profiles. Nothing else in the files is given to the editor. */
export async function profileNames(): Promise<string[]> {
  const { configFile, credentialsFile } = await reader().loadSharedConfigFiles({ ignoreCache: true });
  return Object.keys({ ...configFile, ...credentialsFile })
    .filter(isProfile)
    .sort();
}

function stampOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : '';
  } catch {
    return '';
  }
}

/** A text that changes whenever one of the shared files does. It takes some µs, so no file watcher is needed. */
export function sharedFilesStamp(): string {
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env;
  const home = reader().getHomeDir();
  const config = AWS_CONFIG_FILE || '~/.aws/config';
  const credentials = AWS_SHARED_CREDENTIALS_FILE || '~/.aws/credentials';
  return [config, credentials].map((file) => stampOf(file.replace(/^~\//, () => join(home, '/')))).join();
}

/** The services that an account sends requests to: those of its nodes, the portal of an SSO login, and Roles Anywhere. */
const services = [...serviceNames, 'sso', 'rolesanywhere'] as const;

/** Custom endpoint URLs by service; services that are absent use AWS's endpoint. */
export type Endpoints = Readonly<Partial<Record<(typeof services)[number], string>>>;

/** The region and the endpoints that count. */
export interface ResolvedConfig {
  region: string;
  endpoints: Endpoints;
}

/** The same endpoint for all services. */
export const oneEndpointForAll = (endpoint: string): Endpoints =>
  Object.fromEntries(services.map((service) => [service, endpoint]));

/** The `services` section that a profile names. Throws `InvalidValue` if it is missing: the AWS CLI fails as well. */
function servicesOf(profile: Section, config: Record<string, Section>): Section {
  if (!profile.services) return {};
  const section = config[`services.${profile.services}`];
  if (section) return section;
  throw invalid(
    `The profile names the services section ${show(profile.services)}, which`,
    'is not in the shared config file: its requests would go to the wrong place.'
  );
}

/**
 * The endpoints that variables and a profile name, in the order that AWS documents: variables before the profile, in each
 * of them the one of a service before the one for all.
 */
function endpointsOf(profile: Section, config: Record<string, Section>): Endpoints {
  const { env } = process;
  if ((env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS || profile.ignore_configured_endpoint_urls) === 'true') return {};
  const endpoints: Partial<Record<string, string>> = {};
  for (const service of services) {
    const found =
      env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ||
      env.AWS_ENDPOINT_URL ||
      servicesOf(profile, config)[`${service}.endpoint_url`] ||
      profile.endpoint_url;
    if (found) endpoints[service] = checkedUrl(found);
  }
  return endpoints;
}

/** Checks an endpoint URL. Throws `InvalidValue`, which does not quote the URL, since it may hold a password. */
function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return text;
  throw invalid(
    'The endpoint URL of the environment or of the profile',
    'must be a URL such as http://localhost:4566, without a user name in it.'
  );
}

/** The region of the environment, the profile or the EC2 instance, in this order; else `us-east-1`. */
async function regionOf(profile: string | undefined): Promise<string> {
  const { loadConfig, NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS } = reader();
  const options = { ...NODE_REGION_CONFIG_FILE_OPTIONS, ...(profile !== undefined && { profile }) };
  const region = await loadConfig(NODE_REGION_CONFIG_OPTIONS, options)().catch((error: Error) => {
    if (error.message === 'Region is missing') return 'us-east-1';
    throw error;
  });
  if (regionPattern.test(region)) return region;
  // The value of a variable is not quoted, since it may be a secret.
  const found = process.env.AWS_REGION === region ? '' : `, but is ${show(region)}`;
  throw invalid('The region of the environment or of the profile', `must be ${regionIs}${found}.`);
}

/**
 * The region and the endpoints of a profile, by the environment and the shared files as they are now. Without a profile that
 * of the environment counts. `known` are the account's own properties, which come first. Rejects with `InvalidValue` for a
 * region, a URL or a section that is not valid.
 */
export async function resolveConfig(
  profile: string | undefined,
  known: { region: string | undefined; endpoint: string | undefined }
): Promise<ResolvedConfig> {
  const { loadSharedConfigFiles, getProfileName } = reader();
  // The SDK caches the files here, and `regionOf` reads them from its cache.
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true });
  const name = getProfileName(profile === undefined ? {} : { profile });
  const section = { ...credentialsFile[name], ...configFile[name] };
  return {
    region: known.region ?? (await regionOf(profile)),
    endpoints: known.endpoint ? oneEndpointForAll(known.endpoint) : endpointsOf(section, configFile)
  };
}
