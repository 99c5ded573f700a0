/** AWS's regions for the lists of the editor, with their names in AWS's console. Users may type any other. */
export const regions: Readonly<Record<string, string>> = {
  'us-east-1': 'US East (N. Virginia)',
  'us-east-2': 'US East (Ohio)',
  'us-west-1': 'US West (N. California)',
  'us-west-2': 'US West (Oregon)',
  'af-south-1': 'Africa (Cape Town)',
  'ap-east-1': 'Asia Pacific (Hong Kong)',
  'ap-east-2': 'Asia Pacific (Taipei)',
  'ap-northeast-1': 'Asia Pacific (Tokyo)',
  'ap-northeast-2': 'Asia Pacific (Seoul)',
  'ap-northeast-3': 'Asia Pacific (Osaka)',
  'ap-south-1': 'Asia Pacific (Mumbai)',
  'ap-south-2': 'Asia Pacific (Hyderabad)',
  'ap-southeast-1': 'Asia Pacific (Singapore)',
  'ap-southeast-2': 'Asia Pacific (Sydney)',
  'ap-southeast-3': 'Asia Pacific (Jakarta)',
  'ap-southeast-4': 'Asia Pacific (Melbourne)',
  'ap-southeast-5': 'Asia Pacific (Malaysia)',
  'ap-southeast-6': 'Asia Pacific (New Zealand)',
  'ap-southeast-7': 'Asia Pacific (Thailand)',
  'ca-central-1': 'Canada (Central)',
  'ca-west-1': 'Canada West (Calgary)',
  'eu-central-1': 'Europe (Frankfurt)',
  'eu-central-2': 'Europe (Zurich)',
  'eu-north-1': 'Europe (Stockholm)',
  'eu-south-1': 'Europe (Milan)',
  'eu-south-2': 'Europe (Spain)',
  'eu-west-1': 'Europe (Ireland)',
  'eu-west-2': 'Europe (London)',
  'eu-west-3': 'Europe (Paris)',
  'il-central-1': 'Israel (Tel Aviv)',
  'me-central-1': 'Middle East (UAE)',
  'me-south-1': 'Middle East (Bahrain)',
  'me-west-1': 'Middle East (Saudi Arabia)',
  'mx-central-1': 'Mexico (Central)',
  'sa-east-1': 'South America (São Paulo)',
  'sa-west-1': 'South America (Chile)',
  'us-gov-east-1': 'AWS GovCloud (US-East)',
  'us-gov-west-1': 'AWS GovCloud (US-West)',
  'cn-north-1': 'China (Beijing)',
  'cn-northwest-1': 'China (Ningxia)',
  'eusc-de-east-1': 'AWS European Sovereign Cloud (Germany)'
};

/** A text in lower case and without accents, to be compared with others. */
export const folded = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

const wordsIn = (text: string): string[] => folded(text).match(/[a-z]+/g) ?? [];

/**
 * The only region in whose name in AWS's console all words of a text are, such as `eu-central-1` for Frankfurt. The European
 * Sovereign Cloud has an account of its own, so that Germany does not mean it.
 */
export function regionCalled(text: string): string | undefined {
  const words = wordsIn(text);
  if (words.length === 0 || /\d/.test(text)) return undefined;
  const found = Object.entries(regions).filter(([region, name]) => {
    const inName = wordsIn(name);
    return !region.startsWith('eusc') && words.every((word) => inName.includes(word));
  });
  return found.length === 1 ? found[0]?.[0] : undefined;
}

/** A pattern for AWS's names of regions: words and a number at the end. */
export const regionName = '[a-z]+(?:-[a-z]+)+-\\d{1,2}';

/** Whether two regions are in the same partition of AWS: all but the standard one have a prefix for their regions. */
export const inSamePartition = (one: string, other: string): boolean => beginning(one) === beginning(other);
const beginning = (region: string): string | undefined => /^(?:cn|us-gov|eusc|(?:us|eu)-iso[a-z]?)-/i.exec(region)?.[0];

const partitions: Readonly<Record<string, string>> = {
  'cn-': 'aws-cn',
  'us-gov-': 'aws-us-gov',
  'eusc-': 'aws-eusc',
  'us-iso-': 'aws-iso',
  'us-isob-': 'aws-iso-b',
  'eu-isoe-': 'aws-iso-e',
  'us-isof-': 'aws-iso-f'
};

/** The partition of AWS that a region is in, as it stands in ARNs. */
export const partitionOf = (region: string): string => partitions[beginning(region)?.toLowerCase() ?? ''] ?? 'aws';

/** The domains of partitions whose services are not below amazonaws.com, as in the SDK. */
const domains: Readonly<Record<string, string>> = {
  'aws-cn': 'amazonaws.com.cn',
  'aws-eusc': 'amazonaws.eu',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
  'aws-iso-e': 'cloud.adc-e.uk',
  'aws-iso-f': 'csp.hci.ic.gov'
};

/** The domain of a partition's services. */
export const domainOf = (partition: string): string => domains[partition] ?? 'amazonaws.com';
