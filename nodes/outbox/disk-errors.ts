import { type ActionError, ownError } from '../fields/errors';
import { memberOf, reasonOf } from '../fields/thrown';

/** An error of the disk, which names the folder. */
export type DiskError = ActionError;

const problems: Record<string, string> = {
  EACCES: 'Node-RED may not write there',
  EPERM: 'Node-RED may not write there',
  EROFS: 'it can only be read',
  ENOENT: 'the folder was deleted',
  ENOTDIR: 'there is a file in its place',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk has failed',
  ENODEV: 'the disk is gone',
  ENXIO: 'the disk is gone',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this machine has too many open files'
};

function storeError(error: unknown, folder: string, words: (problem: string) => string): DiskError {
  const code = String(memberOf(error, 'code') ?? '');
  const text = words(problems[code] ?? reasonOf(error));
  return ownError('StoreFull', text, { retryable: true, cause: { name: 'StoreFull', code, folder } });
}

/** The error for a message that could not be kept. */
export const diskError = (error: unknown, folder: string): DiskError =>
  storeError(
    error,
    folder,
    (problem) => `The message cannot be kept in ${folder}: ${problem}. It was not sent either.`
  );

/** The error where what is kept cannot be read back for now. */
export const readError = (error: unknown, folder: string): DiskError =>
  storeError(error, folder, (problem) => `What is kept in ${folder} cannot be read: ${problem}.`);
