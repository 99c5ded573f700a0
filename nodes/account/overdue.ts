/** How long other requests wait for the answer to one before they go on without it, ms: its connection may be dead. */
export const overdueAfter = 1000;

/** Settles as the request does. Calls `onOverdue` once if that takes longer than `overdueAfter`. */
export async function noticeOverdue<T>(request: Promise<T>, onOverdue: () => void): Promise<T> {
  const timer = setTimeout(onOverdue, overdueAfter);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
