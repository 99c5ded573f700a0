import type { Place } from './segment';

/** Records are read together where no more bytes than these are between them, up to `longestRead`. */
const widestGap = 16_384;
const longestRead = 1_000_000;

/** Places near each other in a segment, which are read at once: bytes from `start` to `end`. */
interface Run {
  readonly segment: number;
  readonly start: number;
  end: number;
  readonly members: Wanted[];
}

/** A place to read, and its index among all of them. */
interface Wanted {
  readonly place: Place;
  readonly index: number;
}

/** Joins places as long as they are near each other and not too much to read at once. */
export function runsOf(places: readonly Place[]): Run[] {
  const runs: Run[] = [];
  const wanted = places.map((place, index) => ({ place, index }));
  for (const each of wanted.sort((one, other) => compare(one.place, other.place))) {
    const { segment, offset, length } = each.place;
    const end = offset + length;
    const run = runs.at(-1);
    // Entries of one message share its record, however large that is.
    const isNear =
      run?.segment === segment && (end <= run.end || (offset <= run.end + widestGap && end - run.start <= longestRead));
    if (run && isNear) {
      run.members.push(each);
      run.end = Math.max(run.end, end);
    } else runs.push({ segment, start: offset, end, members: [each] });
  }
  return runs;
}

const compare = (one: Place, other: Place): number => one.segment - other.segment || one.offset - other.offset;
