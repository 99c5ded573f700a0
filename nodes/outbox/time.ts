/** Time as the store and the way out of it go by it: nobody sets it. What they wait for goes through this, so that tests let time pass. */
export const time = {
  /** Ms since some moment. */
  now: (): number => performance.now(),

  /** Calls `work` in so many ms, unless the function that is returned is called before. */
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  }
};
