/** How long others wait for the answer to a request, ms: its connection may be dead, and nobody says so. */
export const patience = 1000;

/** Settles as the request does; `silent` is called once if that takes longer than others wait for it. */
export async function withPatience<T>(request: Promise<T>, silent: () => void): Promise<T> {
  const timer = setTimeout(silent, patience);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
