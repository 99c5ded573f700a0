import { present } from '../fields/json';
import type { Box, Mark } from './boxes';
import type { Equipment, Finding } from './detector';
import type { DetectorName } from './detectors';
import { detectors } from './detectors';
import { keyOf } from './names';

/** A name that counts, and the least confidence for it, in percent, if that is its own. */
export interface Target {
  name: string;
  confidence?: number | undefined;
}

/** What counts. */
interface Interest {
  operation: DetectorName;
  /** Percent; absent: everything is sure enough. */
  confidence: number | undefined;
  targets: readonly Target[] | undefined;
  roi: Box | undefined;
}

/** A finding that is sure enough, and what it counts as, if it does. */
export interface Counted {
  finding: Finding;
  countsAs: string | undefined;
}

/** Tells which of the targets a finding meets, if any: the first one. */
function targetsOf({ targets = [] }: Interest): (finding: Finding) => Target | undefined {
  const keys = targets.map(({ name }) => keyOf(name));
  return ({ name, alias = name }) => {
    const names = [keyOf(name), keyOf(alias)];
    return targets[keys.findIndex((key) => names.includes(key))];
  };
}

/** The least confidence that is of use to anybody, which is what the service is asked for. */
export function leastConfidence({ confidence, targets = [] }: Interest): number | undefined {
  const own = targets.flatMap((target) => target.confidence ?? []);
  if (confidence !== undefined) return Math.min(confidence, ...own);
  // The service's own is 50 or 55, by the operation.
  return own.length > 0 ? Math.min(50, ...own) : undefined;
}

const isSure = ({ confidence }: { confidence: number }, least = 0): boolean => confidence >= least;

const centreOf = ({ left, top, width, height }: Box) => ({ x: left + width / 2, y: top + height / 2 });

function isInside(box: Box, roi: Box | undefined): boolean {
  const { x, y } = centreOf(box);
  if (!roi) return true;
  return x >= roi.left && x <= roi.left + roi.width && y >= roi.top && y <= roi.top + roi.height;
}

/** What a finding counts as: a target as it is spelled there, else its name; `undefined` where it does not count. */
function countsAs(finding: Finding, target: Target | undefined, interest: Interest): string | undefined {
  const { operation, targets, roi } = interest;
  if (finding.part || (targets && !target)) return undefined;
  if (finding.box) return isInside(finding.box, roi) ? (target ?? finding).name : undefined;
  // Where in the picture it is, nobody knows; of a scene's many labels only those that are looked for count.
  const wanted = target !== undefined || detectors[operation].countsLabels === true;
  return wanted && !roi ? (target ?? finding).name : undefined;
}

/** What is sure enough, and whether it counts. */
export function count(findings: readonly Finding[], interest: Interest): Counted[] {
  const targetOf = targetsOf(interest);
  return findings.flatMap((finding) => {
    const target = targetOf(finding);
    if (!isSure(finding, target?.confidence ?? interest.confidence)) return [];
    return [{ finding, countsAs: countsAs(finding, target, interest) }];
  });
}

/** All numbers with 3 decimals, however deep: fractions, confidences and areas are no more exact. There is no -0. */
export function rounded<T>(value: T): T {
  if (typeof value === 'number') return (Math.round(value * 1000) / 1000 + 0) as T;
  if (Array.isArray(value)) return value.map(rounded) as T;
  if (typeof value !== 'object' || value === null) return value;
  return present(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]))) as T;
}

function objectOf({ finding, countsAs }: Counted, { confidence }: Interest): object {
  const { name, confidence: sure, box, equipment, details } = finding;
  const place = box && { box, centre: centreOf(box), area: box.width * box.height * 100 };
  return {
    name,
    confidence: sure,
    target: countsAs !== undefined,
    ...place,
    ...(equipment && { equipment: equipment.filter((each) => isSure(each, confidence)) }),
    ...details
  };
}

/** How often each name counts; those that are looked for are there even if nothing was found. */
function summaryOf(counted: readonly Counted[], { targets = [] }: Interest): Record<string, number> {
  const summary = new Map(targets.map(({ name }) => [name, 0]));
  for (const { countsAs } of counted) {
    if (countsAs !== undefined) summary.set(countsAs, (summary.get(countsAs) ?? 0) + 1);
  }
  return Object.fromEntries(summary);
}

/** The parsed result of a detection. */
export interface Report {
  operation: DetectorName;
  source: string;
  image?: { width: number; height: number };
  count: number;
  summary: Record<string, number>;
  objects: object[];
  labels: { name: string; confidence: number }[];
}

/** Puts what counts, and what else was found, into the shape of the result. */
export function report(
  counted: readonly Counted[],
  interest: Interest,
  { source, image }: { source: string; image: { width: number; height: number } | undefined }
): Report {
  const placed = counted.filter(({ finding }) => finding.box);
  const labels = counted.filter(({ finding }) => !finding.box);
  return {
    operation: interest.operation,
    source,
    ...(image && { image: { width: image.width, height: image.height } }),
    count: counted.filter(({ countsAs }) => countsAs !== undefined).length,
    summary: summaryOf(counted, interest),
    objects: rounded(placed.map((each) => objectOf(each, interest))),
    labels: rounded(labels.map(({ finding: { name, confidence } }) => ({ name, confidence })))
  };
}

/** What is drawn on the picture: everything that has a place, but no parts of what is drawn already. */
export function marksOf(counted: readonly Counted[], { confidence }: Interest): Mark[] {
  return counted.flatMap(({ finding, countsAs }): Mark[] => {
    const { name, box, caption = name, certainty = finding.confidence, equipment = [], part } = finding;
    if (!box || part) return [];
    const worn = equipment.flatMap((each) => (each.box && isSure(each, confidence) ? [markOf(each, each.box)] : []));
    return [{ name, caption: captionOf(caption, certainty), box, counted: countsAs !== undefined }, ...worn];
  });
}

const markOf = ({ name, confidence }: Equipment, box: Box): Mark => ({
  name,
  caption: captionOf(name.replaceAll('_', ' '), confidence),
  box,
  counted: false
});

const captionOf = (text: string, percent: number): string => `${text} ${Math.floor(percent)}%`;
