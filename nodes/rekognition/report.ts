import { present } from '../fields/json';
import type { Box, Mark } from './boxes';
import type { Equipment, Finding, Quality } from './detector';
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
  /** What each person has to wear. */
  required: readonly EquipmentName[] | undefined;
  roi: Box | undefined;
}

/** A finding that is sure enough. */
export interface Counted {
  finding: Finding;
  /** What it counts as: each target that it meets, as it is spelled there, else its name; empty where it does not count. */
  countsAs: string[];
  /** What a person lacks of what is required. */
  missing: EquipmentName[];
}

/** Tells which of the targets mean a finding by one of its names, whatever else they ask for. */
function targetsOf({ targets = [] }: Interest): (finding: Finding) => Target[] {
  const keyed = targets.map((target) => ({ target, key: keyOf(target.name) }));
  return ({ name, aliases = [] }) => {
    if (keyed.length === 0) return [];
    const names = new Set([name, ...aliases].map(keyOf));
    return keyed.flatMap(({ target, key }) => (names.has(key) ? target : []));
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

/** The parts of the body that each piece of equipment has to cover. */
const partsOf = { face_cover: ['face'], hand_cover: ['left_hand', 'right_hand'], head_cover: ['head'] };
export type EquipmentName = keyof typeof partsOf;

/** Whether a person wears a piece of equipment as they should: on each of its parts that is to be seen. */
function wears({ equipment = [], bodyParts = [] }: Finding, name: EquipmentName, least: number | undefined): boolean {
  const parts = partsOf[name].filter((part) => bodyParts.includes(part));
  const covers = (part: string) =>
    equipment.some((each) => each.name === name && each.bodyPart === part && each.covers && isSure(each, least));
  return parts.length > 0 && parts.every(covers);
}

/** A finding that is sure enough, and the targets that it meets. */
interface Sure {
  finding: Finding;
  met: Target[];
}

/** A target may ask for more confidence than the others, or for less. */
function sureOf(findings: readonly Finding[], interest: Interest): Sure[] {
  const targetsFor = targetsOf(interest);
  return findings.flatMap((finding) => {
    const meant = targetsFor(finding);
    const met = meant.filter(({ confidence = interest.confidence }) => isSure(finding, confidence));
    const isThere = meant.length > 0 ? met.length > 0 : isSure(finding, interest.confidence);
    return isThere ? [{ finding, met }] : [];
  });
}

const namesOf = (targets: readonly Target[]): string[] => targets.map(({ name }) => name);

/** What is sure enough, and whether it counts. */
export function count(findings: readonly Finding[], interest: Interest): Counted[] {
  const { operation, targets, required, roi } = interest;
  const sure = sureOf(findings, interest);
  /** Things with a place meet these: a label of the whole scene says nothing more of them. */
  const placed = new Set(sure.flatMap(({ finding, met }) => (finding.box ? met : [])));
  const parents = new Set(sure.map(({ finding }) => finding.parent));
  const countsAs = ({ finding: { name, box, part }, met }: Sure, missing: EquipmentName[]): string[] => {
    if (part || (box ? !isInside(box, roi) : roi)) return [];
    if (required && missing.length === 0) return [];
    if (required && met.length === 0) return [name];
    if (box) return targets ? namesOf(met) : [name];
    // Of a scene's many labels only those that are looked for count.
    if (targets) return namesOf(met.filter((target) => !placed.has(target)));
    return detectors[operation].countsLabels && !parents.has(name) ? [name] : [];
  };
  return sure.map((each) => {
    const { finding } = each;
    const missing = (required ?? []).filter((name) => !wears(finding, name, interest.confidence));
    return { finding, missing, countsAs: countsAs(each, missing) };
  });
}

/**
 * Rounds all numbers in a value to 3 decimals, since fractions, confidences and areas are not more exact; -0 becomes 0.
 */
export function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Math.round(value * 1000) / 1000 + 0;
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return present(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)])));
}

function objectOf({ finding, countsAs, missing }: Counted, { confidence }: Interest): object {
  const { name, confidence: sure, box, equipment, details } = finding;
  const place = box && { box, centre: centreOf(box), area: box.width * box.height * 100 };
  return {
    name,
    confidence: sure,
    target: countsAs.length > 0,
    ...place,
    ...(equipment && { equipment: equipment.filter((each) => isSure(each, confidence)) }),
    ...(missing.length > 0 && { missing }),
    ...details
  };
}

/** How often each name counts. Targets that were not found have 0. */
function summaryOf(counted: readonly Counted[], { targets = [] }: Interest): Record<string, number> {
  const summary = new Map(targets.map(({ name }) => [name, 0]));
  for (const name of counted.flatMap(({ countsAs }) => countsAs)) summary.set(name, (summary.get(name) ?? 0) + 1);
  return Object.fromEntries(summary);
}

/** The parsed result of a detection. */
export interface Report {
  operation: DetectorName;
  source: string;
  /** When the picture was analysed: ISO 8601, in UTC. */
  time: string;
  image?: { width: number; height: number };
  count: number;
  summary: Record<string, number>;
  objects: unknown;
  labels: unknown;
  quality?: unknown;
}

/** What there is to know of a picture beside what was found in it. */
interface Circumstances {
  source: string;
  time: Date;
  image: { width: number; height: number } | undefined;
  quality: Quality | undefined;
}

/** Makes the parsed result of the findings. */
export function report(
  counted: readonly Counted[],
  interest: Interest,
  { source, time, image, quality }: Circumstances
): Report {
  const placed = counted.filter(({ finding }) => finding.box);
  const labels = counted.filter(({ finding }) => !finding.box);
  return {
    operation: interest.operation,
    source,
    time: time.toISOString(),
    ...(image && { image: { width: image.width, height: image.height } }),
    count: counted.filter(({ countsAs }) => countsAs.length > 0).length,
    summary: summaryOf(counted, interest),
    objects: rounded(placed.map((each) => objectOf(each, interest))),
    labels: rounded(labels.map(({ finding: { name, confidence, details } }) => ({ name, confidence, ...details }))),
    ...(quality && { quality: rounded(quality) })
  };
}

/** The marks to draw: all findings with a place, except for parts of others. */
export function marksOf(counted: readonly Counted[], { confidence }: Interest): Mark[] {
  return counted.flatMap(({ finding, countsAs }): Mark[] => {
    const { name, box, caption = name, certainty = finding.confidence, equipment = [], part } = finding;
    if (!box || part) return [];
    const worn = equipment.flatMap((each) => (each.box && isSure(each, confidence) ? [markOf(each, each.box)] : []));
    return [{ name, caption: captionOf(caption, certainty), box, counted: countsAs.length > 0 }, ...worn];
  });
}

const markOf = ({ name, confidence }: Equipment, box: Box): Mark => ({
  name,
  caption: captionOf(name.replaceAll('_', ' '), confidence),
  box,
  counted: false
});

const captionOf = (text: string, percent: number): string => `${text} ${Math.floor(percent)}%`;
