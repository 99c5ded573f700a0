/** How long others wait for the answer to a request, ms: its connection may be dead, and nobody says so. */
export const overdueAfter = 1000;

/** Settles as the request does; `onOverdue` is called once if that takes longer than others wait for it. */
export async function noticeOverdue<T>(request: Promise<T>, onOverdue: () => void): Promise<T> {
  const timer = setTimeout(onOverdue, overdueAfter);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
