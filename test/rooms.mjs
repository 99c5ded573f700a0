/**
 * The rooms of the tests: which test files belong together, so that `npm test -- messaging` runs a room of them. A name is
 * the file's in `test/`, without its ending.
 *
 * `both` run on Node-RED 5 and on 4.1, which are those that hang on Node-RED itself or on the Node.js below it: how fields
 * are read, deployments and how nodes close, Catch and Complete, credentials, status, the admin API, forms, installing.
 * `once` run on Node-RED 5 alone: what AWS and the pack make of messages is the same on both.
 *
 * @type {Record<string, { both: string[], once: string[] }>}
 */
export const rooms = {
  durability: {
    // What is left behind is a matter of Node-RED and Node.js; what happens to messages is not.
    both: ['durability/redeploys', 'durability/soak'],
    once: ['durability/bad-line', 'durability/delivery', 'durability/order', 'durability/scaling']
  },
  browser: {
    both: ['account', 'dialogs', 'editor', 'errors', 'languages', 'variables', 'walk'].map((name) => `browser/${name}`),
    // What the pack itself draws and fetches: lists to choose from, flows and pages that come with it.
    once: ['dashboard', 'demo', 'examples', 'pickers', 'proxy'].map((name) => `browser/${name}`)
  },
  account: {
    both: ['account-changes', 'aws-account', 'proxy', 'secrets', 'variables', 'variables-of-flows'],
    once: ['clock', 'links', 'shared-files', 'sign-in']
  },
  lambda: {
    both: ['aws-lambda-invoke', 'aws-lambda-list'],
    once: []
  },
  messaging: {
    both: ['aws-sns-publish', 'aws-sqs-receive', 'aws-sqs-send', 'aws-sqs-settle', 'batch'],
    once: ['aws-sqs-receive-odd', 'aws-sqs-receive-order', 'bad-messages', 'queue-urls']
  },
  rekognition: {
    both: ['aws-rekognition-detect', 'aws-rekognition-index-face'],
    once: ['bad-pictures', 'boxes', 'jpeg', 'names', 'rekognition-answers', 'rekognition-trouble', 'unchanged']
  },
  action: {
    both: ['action', 'bad-input', 'function-made', 'message-way', 'node-red', 'thrown', 'transforms'],
    once: [
      'answer-size',
      'answers',
      'gateway',
      'generated',
      'loads',
      'long-values',
      'many-targets',
      'network',
      'odd-answers',
      'retryable'
    ]
  },
  dialog: {
    both: ['endpoints'],
    once: ['dialog-values']
  },
  'local-aws': {
    both: [],
    once: ['', '-clients', '-errors', '-lists', '-messaging', '-order', '-rekognition', '-start'].map(
      (name) => `local-aws${name}`
    )
  },
  docs: {
    both: [],
    once: ['docs', 'examples', 'expressions', 'languages', 'package', 'security', 'structure']
  }
};

/** What runs on which Node.js matters to proxies: the newer ones know them by themselves. */
export const onNewerNodeToo = ['proxy'];
