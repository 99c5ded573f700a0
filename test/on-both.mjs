/**
 * Test files that run on Node-RED 5 and on 4.1, by their rooms: those that hang on Node-RED itself or on the Node.js below it,
 * which is how fields are read, deployments and how nodes close, Catch and Complete, credentials, status, the admin API,
 * forms, installing. The others run on Node-RED 5 alone: what AWS and the pack make of messages is the same on both.
 * The examples show that each node does its work there.
 *
 * @type {Record<string, string[]>}
 */
export const onBoth = {
  account: ['account-changes', 'proxy', 'secrets', 'variables'],
  action: ['action', 'function-made', 'message-way', 'thrown'],
  browser: ['account', 'dialogs', 'editor', 'errors', 'languages', 'preview', 'proxy', 'sidebar', 'walk'],
  dialog: ['endpoints', 'variables-of-flows'],
  docs: ['examples'],
  // What is left behind is a matter of Node-RED and Node.js; what happens to messages is not.
  durability: ['redeploys', 'soak'],
  fields: ['transforms'],
  lambda: ['aws-lambda-invoke'],
  messaging: ['aws-sqs-receive', 'aws-sqs-send', 'aws-sqs-settle'],
  outbox: ['keep'],
  package: ['node-red']
};

/** What runs on which Node.js matters to proxies: the newer ones know them by themselves. */
export const onNewerNodeToo = ['account/proxy'];

/** What needs a process of its own, by its room or file: for processes that die, or another Node-RED than the tests' own. */
export const alone = ['durability', 'package/loads'];

/** What hardly does anything but wait: it runs in processes of its own, beside those that keep the machine busy. */
export const waiting = ['account/links', 'durability/redeploys', 'messaging/aws-sqs-receive'];

/**
 * Seconds that files take which wait, or draw, much longer than others of their length, or less: the longest are begun first,
 * and share their processes with fewer others. `npm test` names the slowest.
 *
 * @type {Record<string, number>}
 */
export const slow = {
  'account/clock': 35,
  'account/links': 110,
  'browser/account': 20,
  'browser/approve': 10,
  'browser/dashboard': 40,
  'browser/demo': 20,
  'browser/dialogs': 50,
  'browser/editor': 15,
  'browser/examples': 15,
  'browser/languages': 70,
  'browser/pickers': 40,
  'browser/preview': 20,
  'browser/sidebar': 40,
  'browser/variables': 35,
  'browser/walk': 65,
  'docs/examples': 50,
  'durability/approve': 10,
  'durability/bad-line': 25,
  'durability/budget': 15,
  'durability/delivery': 30,
  'durability/order': 30,
  'durability/outages': 25,
  'durability/redeploys': 105,
  'durability/scaling': 25,
  'durability/soak': 20,
  'fields/expressions': 45,
  'generated/generated': 70,
  'local-aws/messaging': 8,
  'local-aws/server': 12,
  'local-aws/start': 50,
  'messaging/aws-sqs-receive': 105,
  'messaging/aws-sqs-receive-order': 35,
  'messaging/batch': 50,
  'outbox/keep': 30,
  'package/new': 35,
  'rekognition/aws-rekognition-detect': 35,
  'rekognition/rekognition-trouble': 25
};
