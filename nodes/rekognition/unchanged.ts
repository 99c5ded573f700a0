/** Levels of grey, of 256, by which a cell must differ to have changed: a camera's noise and JPEG stay below. */
const noise = 12;

/** How many sources are remembered: messages may bring any number of names. */
const mostSources = 100;
/** Bytes of what came of their frames; one picture with boxes in 4K has 1.5 MB as a JPEG, and up to 15 MB as a PNG. */
const mostBytes = 64 * 1024 * 1024;

/** The last frame of a source that was analysed, and what came of it. */
interface Analysis<Result> {
  /** What was asked; the result is of no use to other questions. */
  question: string;
  grey: Buffer;
  result: Promise<Result>;
  /** Of the result, once it is there. */
  bytes: number;
}

/** Percent of a picture's cells that have changed. */
export function difference(grey: Buffer, other: Buffer): number {
  let changed = 0;
  for (let cell = 0; cell < grey.length; cell += 1) {
    if (Math.abs((grey[cell] as number) - (other[cell] as number)) > noise) changed += 1;
  }
  return (changed / grey.length) * 100;
}

/**
 * What cameras saw last, so that a picture in which nothing has moved need not be analysed again. Where that is too much, the
 * source that sent nothing for the longest time is forgotten; of the last one there is always room for the result.
 */
export class LastFrames<Result> {
  /** By source; the one of the last frame comes last. */
  readonly #analyses = new Map<string, Analysis<Result>>();
  #bytes = 0;

  constructor(private readonly sizeOf: (result: Result) => number) {}

  /**
   * The result for a frame: that of the last one if less than `percent` has changed since, else that of `analyse`. A frame
   * that comes while the one before it is still analysed waits for that.
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
        // It was not analysed after all; perhaps another frame was in the meantime.
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
