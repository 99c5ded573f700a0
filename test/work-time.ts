/**
 * Milliseconds that this thread has worked, which a busy machine hardly makes longer; of the whole process where Node.js does
 * not know that.
 */
export function workTime(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage)();
  return (user + system) / 1000;
}
