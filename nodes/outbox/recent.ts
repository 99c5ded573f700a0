import type { Place } from './segment';

/** Most bytes of records that are held in memory because they were written just now, and probably go out at once. */
const mostRecent = 1_000_000;

/** The records that were written last, so that they need not be read back while the link is up. */
export class Recent {
  readonly #records = new Map<number, Buffer>();
  #bytes = 0;

  add(place: Pick<Place, 'segment' | 'offset'>, record: Buffer): void {
    if (this.#bytes + record.length > mostRecent) this.clear();
    if (record.length > mostRecent) return;
    this.#records.set(keyOfRecord(place), record);
    this.#bytes += record.length;
  }

  get(place: Place): Buffer | undefined {
    return this.#records.get(keyOfRecord(place));
  }

  delete(place: Place): void {
    const record = this.get(place);
    if (!record) return;
    this.#records.delete(keyOfRecord(place));
    this.#bytes -= record.length;
  }

  clear(): void {
    this.#records.clear();
    this.#bytes = 0;
  }
}

/** Offsets are below 2^32. */
const keyOfRecord = ({ segment, offset }: Pick<Place, 'segment' | 'offset'>): number => segment * 2 ** 32 + offset;
