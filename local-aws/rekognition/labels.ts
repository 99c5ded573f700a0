import type { Instance, Label } from '@aws-sdk/client-rekognition';
import type { Seen, SeenKind } from './vision';

interface Known {
  readonly name: string;
  readonly category: string;
  readonly parents?: readonly string[];
  readonly aliases?: readonly string[];
}

const animals = 'Animals and Pets';
const vehicles = 'Vehicles and Automotive';

const known: Readonly<Record<SeenKind, Known>> = {
  person: { name: 'Person', category: 'Person Description', aliases: ['Human'] },
  car: { name: 'Car', category: vehicles, parents: ['Transportation', 'Vehicle'], aliases: ['Automobile'] },
  bicycle: { name: 'Bicycle', category: vehicles, parents: ['Transportation', 'Vehicle'], aliases: ['Bike'] },
  dog: { name: 'Dog', category: animals, parents: ['Animal', 'Canine', 'Mammal', 'Pet'] },
  cat: { name: 'Cat', category: animals, parents: ['Animal', 'Mammal', 'Pet'] },
  parcel: { name: 'Package', category: 'Home and Indoors', parents: ['Box'] },
  bottle: { name: 'Bottle', category: 'Food and Beverage', parents: ['Alcohol', 'Beverage'] },
  dice: { name: 'Dice', category: 'Hobbies and Interests', parents: ['Game'] }
};

const categories: Readonly<Record<string, string>> = {
  Transportation: vehicles,
  Vehicle: vehicles,
  Animal: animals,
  Canine: animals,
  Mammal: animals,
  Pet: animals,
  Box: 'Home and Indoors',
  Alcohol: 'Food and Beverage',
  Beverage: 'Food and Beverage',
  Game: 'Hobbies and Interests'
};

/** Everything seen as labels, the surest first: things with their instances, what they are kinds of, and the place. */
export function labelsOf(seen: Seen): Label[] {
  const labels = (Object.keys(known) as SeenKind[]).flatMap((kind) => labelOf(kind, seen));
  const all = [...labels, ...parentsOf(labels), ...faceLabels(seen), ...sceneLabels(seen)];
  return all.sort((one, other) => (other.Confidence ?? 0) - (one.Confidence ?? 0) || compare(one, other));
}

function compare(one: Label, other: Label): number {
  return (one.Name ?? '') < (other.Name ?? '') ? -1 : 1;
}

function label(name: string, confidence: number, category: string, more: Partial<Label> = {}): Label {
  return {
    Name: name,
    Confidence: confidence,
    Instances: [],
    Parents: [],
    Aliases: [],
    Categories: [{ Name: category }],
    ...more
  };
}

function labelOf(kind: SeenKind, seen: Seen): Label[] {
  const { name, category, parents = [], aliases = [] } = known[kind];
  const found = seen.things.filter((thing) => thing.kind === kind);
  if (found.length === 0) return [];
  const instances: Instance[] = found.map(({ box, confidence }) => ({
    BoundingBox: { Width: box.width, Height: box.height, Left: box.left, Top: box.top },
    Confidence: confidence
  }));
  instances.sort((one, other) => (other.Confidence ?? 0) - (one.Confidence ?? 0));
  const more = {
    Instances: instances,
    Parents: parents.map((Name) => ({ Name })),
    Aliases: aliases.map((Name) => ({ Name }))
  };
  return [label(name, Math.max(...found.map(({ confidence }) => confidence)), category, more)];
}

function parentsOf(labels: readonly Label[]): Label[] {
  const found = new Map<string, Label>();
  for (const { Confidence = 0, Parents = [] } of labels) {
    for (const { Name = '' } of Parents) {
      if ((found.get(Name)?.Confidence ?? 0) < Confidence) {
        found.set(Name, label(Name, Confidence, categories[Name] ?? 'Everyday Objects'));
      }
    }
  }
  return [...found.values()];
}

function faceLabels({ faces }: Seen): Label[] {
  if (faces.length === 0) return [];
  const confidence = Math.max(...faces.map((face) => face.confidence)) - 0.4;
  const category = 'Person Description';
  return [
    label('Face', confidence, category, { Parents: [{ Name: 'Head' }, { Name: 'Person' }] }),
    label('Head', confidence, category, { Parents: [{ Name: 'Person' }] })
  ];
}

function sceneLabels({ scene }: Seen): Label[] {
  const sure = (share: number) => Math.min(99.6, 78 + 90 * share);
  const found: Label[] = [];
  const nature = 'Nature and Outdoors';
  const buildings = 'Buildings and Architecture';
  const building = ['Architecture', 'Building', 'Housing'].map((Name) => ({ Name }));
  if (scene.sky > 0.06 && scene.lawn > 0.02) {
    const share = scene.sky + scene.lawn;
    found.push(label('Outdoors', sure(share), nature));
    found.push(label('Grass', sure(scene.lawn), nature, { Parents: [{ Name: 'Plant' }] }));
    found.push(label('Plant', sure(scene.lawn), nature));
  }
  if (scene.house > 0.05 && scene.sky > 0.06) {
    found.push(label('House', sure(scene.house), buildings, { Parents: building }));
    for (const { Name } of building) found.push(label(Name, sure(scene.house), buildings));
    found.push(label('Porch', sure(scene.house) - 4, buildings, { Parents: [...building, { Name: 'House' }] }));
  }
  if (scene.room > 0.25) found.push(label('Indoors', sure(scene.room), 'Home and Indoors'));
  return found;
}
