/** Resources to add, for long lists. Their names are like `fleet-0001`. */
export interface Population {
  readonly functions?: number;
  readonly topics?: number;
  readonly queues?: number;
  readonly collections?: number;
  /** How many numbered versions each of the functions has. Default 0: only `$LATEST`. */
  readonly versions?: number;
  /** How many aliases each of the functions has, as `alias-0001`. Default 0. */
  readonly aliases?: number;
  /** The prefix of the names. Default `fleet`. */
  readonly prefix?: string;
  /** Default: the account of `signIns.demo`. */
  readonly account?: string;
  /** Default us-east-1. */
  readonly region?: string;
}

/** `<prefix>-0001` and so on. */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index + 1).padStart(4, '0')}`);
}
