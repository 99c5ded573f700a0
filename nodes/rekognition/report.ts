import { present } from '../fields/json';
import type { Box, Mark } from './boxes';
import type { Equipment, Finding } from './detector';
import type { DetectorName } from './detectors';
import { detectors } from './detectors';
import { keyOf } from './names';

/** A name to count, and the least confidence for it, percent, if it has one of its own. */
export interface Target {
  name: string;
  confidence?: number | undefined;
}

/** The properties that decide what counts. */
interface Interest {
  operation: DetectorName;
  /** The least confidence, percent; absent: any. */
  confidence: number | undefined;
  targets: readonly Target[] | undefined;
  roi: Box | undefined;
}

/** A finding with enough confidence, and the name that it counts as, if it counts. */
export interface Counted {
  finding: Finding;
  countsAs: string | undefined;
}

/** Returns a function that finds the first target with the name of a finding. */
function targetsOf({ targets = [] }: Interest): (finding: Finding) => Target | undefined {
  const keys = targets.map(({ name }) => keyOf(name));
  return ({ name, alias = name }) => {
    const names = [keyOf(name), keyOf(alias)];
    return targets[keys.findIndex((key) => names.includes(key))];
  };
}

/** The least confidence of all targets, for the request. */
export function leastConfidence({ confidence, targets = [] }: Interest): number | undefined {
  const own = targets.flatMap((target) => target.confidence ?? []);
  if (confidence !== undefined) return Math.min(confidence, ...own);
  // The service's own default is 50 or 55, depending on the operation.
  return own.length > 0 ? Math.min(50, ...own) : undefined;
}

const isSure = ({ confidence }: { confidence: number }, least = 0): boolean => confidence >= least;

const centreOf = ({ left, top, width, height }: Box) => ({ x: left + width / 2, y: top + height / 2 });

function isInside(box: Box, roi: Box | undefined): boolean {
  const { x, y } = centreOf(box);
  if (!roi) return true;
  return x >= roi.left && x <= roi.left + roi.width && y >= roi.top && y <= roi.top + roi.height;
}

/** The name that a finding counts as: that of its target, else its own; `undefined` if it does not count. */
function countsAs(finding: Finding, target: Target | undefined, interest: Interest): string | undefined {
  const { operation, targets, roi } = interest;
  if (finding.part || (targets && !target)) return undefined;
  if (finding.box) return isInside(finding.box, roi) ? (target ?? finding).name : undefined;
  // Its place in the picture is unknown. Of the many labels for a scene, only targets count.
  const wanted = target !== undefined || detectors[operation].countsLabels === true;
  return wanted && !roi ? (target ?? finding).name : undefined;
}

/** The findings with enough confidence, and whether they count. */
export function count(findings: readonly Finding[], interest: Interest): Counted[] {
  const targetOf = targetsOf(interest);
  return findings.flatMap((finding) => {
    const target = targetOf(finding);
    if (!isSure(finding, target?.confidence ?? interest.confidence)) return [];
    return [{ finding, countsAs: countsAs(finding, target, interest) }];
  });
}

/**
 * Rounds all numbers in a value to 3 decimals, since fractions, confidences and areas are not more exact; -0 becomes 0.
 */
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

/** How often each name counts. Targets that were not found have 0. */
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

/** Makes the parsed result of the findings. */
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

/** The marks to draw: all findings with a place, except for parts of others. */
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
