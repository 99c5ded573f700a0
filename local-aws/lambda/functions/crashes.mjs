import process from 'node:process';

/** Ends its own runtime. */
export const handler = async () => {
  console.log('Going down');
  process.exit(1);
};
