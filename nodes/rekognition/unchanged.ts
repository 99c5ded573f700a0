/** The difference above which a cell has changed, in grey levels of 256: noise and JPEG artefacts stay below. */
const noise = 12;

/** How many sources are remembered. Messages may bring any number of them. */
const mostSources = 100;
/** The most bytes of annotated pictures that are kept; one in 4K has 1.5 MB as a JPEG, and up to 15 MB as a PNG. */
const mostBytes = 64 * 1024 * 1024;

/** The last picture of a source that was analysed, and its result. */
interface Analysis<Result> {
  /** All properties that the result depends on, as text; the result is not used if they differ. */
  question: string;
  grey: Buffer;
  result: Promise<Result>;
  /** The size of the result, once it is there. */
  bytes: number;
}

/** How many cells differ between two grey copies, percent. */
function difference(grey: Buffer, other: Buffer): number {
  let changed = 0;
  for (let cell = 0; cell < grey.length; cell += 1) {
    const level = grey[cell];
    const before = other[cell];
    if (level !== undefined && before !== undefined && Math.abs(level - before) > noise) changed += 1;
  }
  return (changed / grey.length) * 100;
}

/**
 * The last result of each camera, so that a picture in which nothing has changed is not analysed again. If there are too many,
 * the source that has been silent for longest is forgotten; the result of the latest one is always kept.
 */
export class LastFrames<Result> {
  /** By source, the most recent one last. */
  readonly #analyses = new Map<string, Analysis<Result>>();
  #bytes = 0;

  constructor(private readonly sizeOf: (result: Result) => number) {}

  /**
   * The result for a picture: the last one of its source if less than `percent` has changed since, else that of `analyse`. If
   * the picture before it is still being analysed, its result is waited for. Rejects as `analyse` does.
   */
  async look(
    frame: { source: string; question: string; grey: Buffer; percent: number },
    analyse: () => Promise<Result>
  ): Promise<{ result: Result; skipped: boolean }> {
    const { source, question, grey, percent } = frame;
    const last = this.#analyses.get(source);
    if (last?.question === question && difference(grey, last.grey) < percent) {
      this.#remember(source, last);
      try {
        return { result: await last.result, skipped: true };
      } catch {
        // The analysis failed; there may be another one in the meantime.
        if (this.#analyses.get(source) === last) this.#forget(source);
        return this.look(frame, analyse);
      }
    }
    const analysis = { question, grey, result: analyse(), bytes: 0 };
    this.#remember(source, analysis);
    try {
      const result = await analysis.result;
      if (this.#analyses.get(source) === analysis) this.#weigh(analysis, this.sizeOf(result));
      return { result, skipped: false };
    } catch (error) {
      if (this.#analyses.get(source) === analysis) this.#forget(source);
      throw error;
    }
  }

  #remember(source: string, analysis: Analysis<Result>): void {
    this.#forget(source);
    this.#analyses.set(source, analysis);
    this.#bytes += analysis.bytes;
    this.#makeRoom();
  }

  #weigh(analysis: Analysis<Result>, bytes: number): void {
    analysis.bytes = bytes;
    this.#bytes += bytes;
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const source of this.#analyses.keys()) {
      const { size } = this.#analyses;
      if (size <= 1 || (size <= mostSources && this.#bytes <= mostBytes)) return;
      this.#forget(source);
    }
  }

  #forget(source: string): void {
    this.#bytes -= this.#analyses.get(source)?.bytes ?? 0;
    this.#analyses.delete(source);
  }
}
