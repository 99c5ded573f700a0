/** Levels of grey, of 256, by which a cell must differ to have changed: a camera's noise and JPEG stay below. */
const noise = 12;

/** How many sources are remembered: messages may bring any number of names. */
const mostSources = 100;

/** The last frame of a source that was analysed, and what came of it. */
interface Analysis<Result> {
  /** What was asked; the result is of no use to other questions. */
  question: string;
  grey: Buffer;
  result: Promise<Result>;
}

/** Percent of a picture's cells that have changed. */
export function difference(grey: Buffer, other: Buffer): number {
  let changed = 0;
  for (let cell = 0; cell < grey.length; cell += 1) {
    if (Math.abs((grey[cell] as number) - (other[cell] as number)) > noise) changed += 1;
  }
  return (changed / grey.length) * 100;
}

/** What cameras saw last, so that a picture in which nothing has moved need not be analysed again. */
export class LastFrames<Result> {
  readonly #analyses = new Map<string, Analysis<Result>>();

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
      try {
        return { result: await last.result, skipped: true };
      } catch {
        // It was not analysed after all; perhaps another frame was in the meantime.
        if (this.#analyses.get(source) === last) this.#analyses.delete(source);
        return this.look(frame, analyse);
      }
    }
    const result = analyse();
    this.#remember(source, { question, grey, result });
    try {
      return { result: await result, skipped: false };
    } catch (error) {
      if (this.#analyses.get(source)?.result === result) this.#analyses.delete(source);
      throw error;
    }
  }

  #remember(source: string, analysis: Analysis<Result>): void {
    this.#analyses.delete(source);
    this.#analyses.set(source, analysis);
    const [oldest] = this.#analyses.size > mostSources ? this.#analyses.keys() : [];
    if (oldest !== undefined) this.#analyses.delete(oldest);
  }
}
