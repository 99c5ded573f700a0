/** Who is known by the faces of a collection. */
import type { Face } from '@aws-sdk/client-rekognition';
import { fromExternalImageId } from './names';

/** The name of the person, in Unicode's form NFC; for a face that was indexed without a name, the ID of the face. */
export const personOf = ({ ExternalImageId, FaceId = '' }: Face): string =>
  ExternalImageId === undefined ? FaceId : fromExternalImageId(ExternalImageId).normalize('NFC');

/** Names in the order of a directory. */
const directory = new Intl.Collator('en', { numeric: true });

/** Each person with all of their faces, by name. */
export function peopleIn(faces: readonly Face[]): [name: string, faces: Face[]][] {
  const people = new Map<string, Face[]>();
  for (const face of faces) {
    const name = personOf(face);
    const known = people.get(name);
    if (known) known.push(face);
    else people.set(name, [face]);
  }
  return [...people].sort(([one], [other]) => directory.compare(one, other));
}
