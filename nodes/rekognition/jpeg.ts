/** Pixels. */
export interface Size {
  width: number;
  height: number;
}

/**
 * The most segments of a JPEG: each takes time on the main thread. Cameras write a dozen, or one for 64 KB of EXIF
 * data.
 */
const mostSegments = 65_536;
/** The most entries of EXIF data that are read: their directories can form a cycle. */
const mostEntries = 65_536;

/** Markers (ISO/IEC 10918-1, table B.1). */
const startOfScan = 0xda;
const exif = 0xe1;

/** Whether a marker has no segment: TEM, and the restart markers within the pixels. */
const standsAlone = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);

/** The markers of the kinds of frames that decoders support. Their segments contain the size of the picture. */
const frames = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc9, 0xca]);

/**
 * Whether decoders support a marker: frames, tables, scans and application data. They stop at any other, and at a
 * second start.
 */
const isKnown = (marker: number): boolean =>
  frames.has(marker) ||
  [0xc4, 0xcc, startOfScan, 0xdb, 0xdc, 0xdd, 0xfe].includes(marker) ||
  (marker >= 0xe0 && marker <= 0xef);

/**
 * The position of the second byte of the next marker, -1 if there is none. Other bytes and any number of 0xff may
 * precede it.
 */
function nextMarker(bytes: Buffer, from: number): number {
  // Without indexOf, whose many calls take seconds if there is nothing but 0xff.
  for (let at = from + 1; at < bytes.length; at += 1) {
    if (bytes[at] !== 0 && bytes[at] !== 0xff && bytes[at - 1] === 0xff) return at;
  }
  return -1;
}

/** The size in the segment of a frame; `undefined` if it is not valid. */
function frameSize(segment: Buffer): Size | undefined {
  const components = segment[5] ?? 0;
  if (components === 0 || segment.length !== 6 + 3 * components) return undefined;
  const size = { height: segment.readUInt16BE(1), width: segment.readUInt16BE(3) };
  return size.width > 0 && size.height > 0 ? size : undefined;
}

function isScan(segment: Buffer): boolean {
  const components = segment[0] ?? 0;
  return components >= 1 && components <= 4 && segment.length === 4 + 2 * components;
}

/**
 * The size of a JPEG after turning it by its EXIF orientation, or what is wrong with its structure. It is not decoded.
 * Segments are read as by libjpeg, which nearly all decoders use: bytes between segments, which some cameras leave there, are
 * skipped, and the end of the pixels is not checked.
 */
export function jpegSize(bytes: Buffer): Size | 'broken' | 'cut off' {
  let size: Size | undefined;
  let orientation: number | undefined;
  for (let end = 2, segments = 0; segments < mostSegments; segments += 1) {
    const at = nextMarker(bytes, end);
    const marker = bytes[at];
    // Without another marker the index is -1.
    if (marker === undefined) return 'cut off';
    end = at + 1;
    if (standsAlone(marker)) continue;
    if (!isKnown(marker)) return 'broken';
    if (end + 2 > bytes.length) return 'cut off';
    const start = end + 2;
    // The length includes its own two bytes.
    end += Math.max(2, bytes.readUInt16BE(end));
    if (end > bytes.length) return 'cut off';
    const segment = bytes.subarray(start, end);
    if (marker === exif) orientation ??= exifOrientation(segment);
    if (frames.has(marker)) {
      const found = frameSize(segment);
      if (size || !found) return 'broken';
      size = found;
    }
    if (marker === startOfScan) {
      if (!size || !isScan(segment)) return 'broken';
      // Orientations 5 to 8 include a quarter turn.
      return (orientation ?? 1) >= 5 ? { width: size.height, height: size.width } : size;
    }
  }
  return 'broken';
}

/**
 * The orientation in EXIF data, 1 to 8, by default 1; `undefined` for segments without EXIF data. As in decoders, the first
 * entry counts, and only as a SHORT in the first directory or in one below it.
 */
function exifOrientation(segment: Buffer): number | undefined {
  if (segment.length <= 6 || segment.toString('latin1', 0, 5) !== 'Exif\0') return undefined;
  const tiff = segment.subarray(6);
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) return 1;
  const little = order === 'II';
  const short = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  let left = mostEntries;
  function inDirectory(directory: number, isFirst: boolean): number | undefined {
    if (directory + 2 > tiff.length) return undefined;
    const entries = Math.min(short(directory), Math.floor((tiff.length - directory - 2) / 12));
    for (let at = directory + 2; at < directory + 2 + entries * 12 && left > 0; at += 12, left -= 1) {
      const [tag, type, count] = [short(at), short(at + 2), long(at + 4)];
      if (count !== 1) continue;
      const value = short(at + 8);
      if (tag === 0x0112 && type === 3 && value >= 1 && value <= 8) return value;
      const below = tag === 0x8769 && type === 4 && isFirst ? inDirectory(long(at + 8), false) : undefined;
      if (below !== undefined) return below;
    }
    return undefined;
  }
  return inDirectory(long(4), true) ?? 1;
}
