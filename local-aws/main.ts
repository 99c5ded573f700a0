import { isBuiltin } from 'node:module';
import { parseArgs } from 'node:util';
import { startLocalAws } from './server';

/*
 * The local AWS as a process: `tsx local-aws/main.ts [--port N] [--functions DIR]… [--collection ID]…`.
 * Prints one line of JSON, `{"url": …}`, when it is ready. With `--with-parent` it ends when its input ends,
 * so that it does not outlive a parent that was killed.
 */
async function main(): Promise<void> {
  // Required by queues and topics. Without this check only their requests would fail, one by one.
  if (!isBuiltin('node:sqlite')) {
    console.error(`The local AWS needs Node.js 22.13 or later, but this is ${process.version}.`);
    process.exit(1);
  }
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      functions: { type: 'string', multiple: true },
      collection: { type: 'string', multiple: true },
      'with-parent': { type: 'boolean' }
    }
  });
  const port = values.port === undefined ? {} : { port: Number(values.port) };
  const { functions = [], collection: collections = [] } = values;
  const aws = await startLocalAws({ ...port, functions, collections });
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), 5000).unref();
    const exit = () => process.exit(0);
    aws.close().then(exit, exit);
  };
  process.on('SIGTERM', end).on('disconnect', end);
  if (values['with-parent']) {
    process.stdin.on('end', end).on('error', end).resume();
    // Ctrl-C reaches the whole process group, but the parent may still have requests to finish; it ends this process.
    process.on('SIGINT', () => undefined);
  } else {
    process.on('SIGINT', end);
  }
  console.log(JSON.stringify({ url: aws.url }));
}

main().catch((error: unknown) => {
  console.error(`local-aws: ${String(error)}`);
  process.exit(1);
});
