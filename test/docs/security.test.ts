/** Each sentence of docs/security.md on who is trusted with what has a test. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { signIns } from '../../local-aws/client';
import { account, credentials, invokeNode, keysOf, useBench } from '../aws';
import { sink } from '../node-red';
import { Relay } from '../relay';

const repository = join(__dirname, '..', '..');

/** Sentences, by the file of the tests and a part of each title that shows them. */
const shownBy: Record<string, Record<string, string[]>> = {
  'messaging/bad-messages': {
    'A message may hold anything: it ends in one result or one error, and the next one passes.': [
      'ends in one clear error, and the next message is sent'
    ]
  },
  'action/action': {
    "A message with credentials of its own never gets the account's rights.": [
      'never fall back to the account’s rights'
    ]
  },
  'messaging/aws-sqs-send': { "The host in a queue's URL gets no request.": ['never at the address in a queue URL'] },
  'rekognition/bad-pictures': {
    'A path from a message leads to this machine: shares, other hosts and devices are refused.': [
      'ends in one clear error before anything is sent, and the next picture passes'
    ],
    'The source of a picture makes a file name, and leads to no other folder.': [
      'of a camera makes files in the folder that can be read'
    ],
    'Only a whole JPEG or PNG is sent.': ['that ends anywhere is found out'],
    'A picture that claims to be huge costs no memory.': ['that claims to be huge costs no memory'],
    'A link in the folder of saved pictures is replaced, not followed.': [
      'that is a link is replaced; what it leads to is not touched'
    ]
  },
  'rekognition/rekognition-trouble': {
    'Pictures that wait to be drawn are bounded in number, bytes and pixels, for each node and for all together.': [
      'holds only so many pixels of a node, however few bytes they have, and has room for those of another',
      'holds so much and no more, and says so'
    ],
    'Nodes, and the cameras of a node, take turns: a flood of one holds no other up.': [
      'draws for another node while one has sent many pictures',
      'draws for another camera of the same node while one has sent many pictures'
    ]
  },
  'fields/long-values': {
    'What would be far too long is refused before it is copied.': ['is not written: ', 'is not made longer: ']
  },
  'fields/expressions': {
    'No search in a text takes longer than the text is long.': ['take as long as a text is long']
  },
  'action/thrown': {
    'What a getter, a function or a proxy in a message throws becomes the error of this message.': [
      'becomes an error with all that the contract says'
    ],
    'What is shown of an error has no characters that control a console or turn the direction of a text.': [
      'is shown without what would clear a console, forge a line or turn the direction of a text'
    ]
  },
  'messaging/aws-sqs-receive': {
    'A received message that cannot go on is reported and left to the queue, and the next ones go on.': [
      'says so, hands it to neither, keeps no place for it, and goes on with the next ones'
    ]
  },
  'account/odd-answers': {
    'The log of a function is one entry, which clears no console and forges no other entry.': [
      'has a log that clears no console and forges no entry, and is one entry'
    ]
  },
  'messaging/batch': {
    'More than 10,000 messages, or 64 MiB, do not pile up in a node.': [
      'fail at once beyond 10,000 that wait or are in flight, and the others arrive',
      'fail at once beyond 64 MiB'
    ]
  },
  'account/secrets': {
    "What a function answers is the flow's own, and goes on as it is.": [
      'are not looked for in what a function answers'
    ],
    'What a function says of its failure has secrets of at least 12 characters struck out.': [
      'when a failing function quotes them in objects, lists, keys and its log'
    ],
    'Keys in the user directory are encrypted.': ['are encrypted in the user folder, and stand in no flow']
  },
  'account/answer-size': {
    'An answer that is far larger than any of AWS is cut off.': [
      'is cut off, and not asked for again, when it never ends'
    ]
  },
  'dialog/sidebar': {
    "Another site's page sees nothing of the AWS tab, and does nothing with messages that are kept.": [
      'refuses another site’s page, whoever is logged in'
    ],
    'With `read` they see in the AWS tab what is called, what it costs and what is kept, but not who is signed in.': [
      'tells a reader that somebody is signed in, but not who'
    ],
    'With `aws-account.write` they send, export and throw away messages that are kept.': [
      'lets those look who may read accounts, and those act who may change them'
    ]
  },
  'dialog/last-message': {
    'Looking at a message in a dialog runs no code that is in it, and an expression is evaluated in the browser only.':
      ['runs no code that is in it'],
    'With `aws-account.write` they see the last message that reached a node, without secrets; with `read` they see none.':
      ['none of the account, in a text, a name or a Buffer', 'none that the message has brought for itself']
  },
  'dialog/endpoints': {
    "Another site's page sees no policy, and no message that reached a node.": [
      'are refused, and ask nothing of AWS, where'
    ],
    "Another site's page gets no list and tries no sign-in.": ['are refused, and ask nothing of AWS, where'],
    "Another site's page can send no form that counts as one of the editor.": ['take no text and no form'],
    "Behind a proxy that changes the host the editor is known by its user's token, or by a cookie of its own page (`nimbus=editor`) that other sites' pages cannot send beside JSON.":
      ['a token is of the editor’s own page, whatever host a proxy has left', 'answer where'],
    'With `adminAuth` nobody gets anything without a token, whatever the name that leads to this Node-RED.': [
      'nobody gets anything without a token, or with a wrong one'
    ],
    'With `read` they see the lists, and try no sign-in.': ['a reader gets the lists, but tries no sign-in'],
    'With `read` they see the access key ID and the External ID of an account, but no secret key and no session token.':
      ['a reader sees the access key ID and the External ID of an account, and no password'],
    "With `read` their lists are asked in the account's partition of AWS only.": [
      'a list for a reader is asked in the partition of the account only'
    ],
    'With `read` they learn no variable by the region of a list.': ['and give no reader the value of a variable by it'],
    'With `aws-account.write` alone they test the account as it is deployed, and keys that they type.': [
      'takes what is stored to where it is deployed to go',
      'takes keys that are typed anew anywhere'
    ],
    'With `aws-account.write` alone their variables are those that are deployed, whatever stands in the editor.': [
      'takes variables as they are deployed, whatever the editor says of them'
    ],
    'A test reads no credentials of other nodes by the name of a variable.': [
      'but not those of other nodes’ credentials, and nothing that is known only to flows that run'
    ],
    'With `aws-account.write` alone they send nothing that is stored, and no variable, to another endpoint, region or role.':
      ['takes nothing that is stored', 'takes no variable, and no sign-in of the machine, elsewhere'],
    'With `flows.write` beside it they test anything, as they could deploy it.': [
      'is as free as a deployment where the user may deploy'
    ],
    'With other rights only they get neither lists nor tests.': ['somebody with other rights only gets neither'],
    'Of the shared files of AWS a dialog gets the names of profiles, and nothing else.': ['by nothing but their names']
  },
  'local-aws/start': {
    '`npm start`, its camera and the local AWS answer to `localhost` and loopback addresses only.': [
      'answers to names of this machine only, its controls included',
      'answers to names of this machine only'
    ]
  },
  'account/aws-account': {
    'A region from a message makes no other host than one of AWS.': [
      'is refused where a message names one that makes no host name'
    ],
    "Two accounts never see each other's keys.": [
      'never see each other’s keys, however many messages pass through both'
    ]
  },
  'account/proxy': {
    'A proxy is told its own password, and the service is not.': [
      'is told its user name and password, and the service is not'
    ],
    'A certificate that is not trusted ends the connection.': ['is not blamed for the certificate of the service']
  },
  'account/gateway': { 'An answer that is not one of AWS is an error, and no result.': ['is no result of a function'] },
  'account/variables': {
    'A value of a variable that will not do is not quoted: not in dialogs, lists, errors or the log.': [
      'is not quoted where it will not do as'
    ]
  },
  'docs/security': {
    'Keys that stand in a flow are not used.': ['keys that stand in a flow are not used'],
    'A flow cannot hold the credentials of a message.': ['a flow cannot hold the credentials of a message'],
    'Without `adminAuth` the name in the address is believed: a page whose own name is made to lead to this Node-RED (DNS rebinding) counts as its editor.':
      ['without adminAuth the name in the address is believed'],
    'They run in one process with the accounts, and can read their keys.': [
      'other nodes run in one process with the accounts, and can read their keys'
    ],
    'An endpoint gets the access key ID, a session token and signatures, but no secret key.': [
      'an endpoint gets the access key ID, a session token and signatures, but no secret key'
    ]
  }
};

/** Mocha's own list of the tests that it would run: their titles, by the file in `test/`. */
async function titlesByFile(files: string[]): Promise<Record<string, string[]>> {
  const mocha = require.resolve('mocha/bin/mocha.js');
  const paths = files.map((file) => join('test', `${file}.test.ts`));
  const { stdout } = await promisify(execFile)(process.execPath, [mocha, '--dry-run', '--reporter', 'json', ...paths], {
    cwd: repository,
    maxBuffer: 64 * 1024 * 1024
  });
  const { tests } = JSON.parse(stdout) as { tests: { file: string; title: string }[] };
  const titlesOf = (path: string) =>
    tests.filter(({ file }) => file === join(repository, path)).map(({ title }) => title);
  return Object.fromEntries(files.map((file, index) => [file, titlesOf(paths[index] as string)]));
}

describe('the borders of docs/security.md', () => {
  const page = readFileSync(join(repository, 'docs', 'security.md'), 'utf8');
  const [, section = ''] = /## Who is trusted with what\n(.*?)\n## /s.exec(page) ?? [];
  const sentences = [...section.matchAll(/^- (.*(?:\n {2}.*)*)$/gm)].map(([, text = '']) => text.replace(/\n +/g, ' '));

  let titles: Record<string, string[]> = {};
  before(async () => {
    titles = await titlesByFile(Object.keys(shownBy));
  });

  it('have no sentence without a test, and no test without a sentence', () => {
    const known = Object.values(shownBy).flatMap((each) => Object.keys(each));
    assert.deepEqual([...sentences].sort(), known.sort());
  });

  for (const [file, each] of Object.entries(shownBy)) {
    for (const [sentence, parts] of Object.entries(each)) {
      it(`are shown by tests of ${file}: ${sentence}`, () => {
        assert.ok(parts.length > 0);
        for (const part of parts)
          assert.ok(
            titles[file]?.some((title) => title.includes(part)),
            part
          );
      });
    }
  }
});

describe('as docs/security.md says,', () => {
  const bench = useBench();

  it('keys that stand in a flow are not used', async () => {
    await bench.red.deploy([account(bench, keysOf('demo')), invokeNode(), sink('out')]);
    const { error } = await bench.red.send('invoke', { payload: {} });
    assert.equal(error?.name, 'MissingValue');
    assert.deepEqual(await bench.aws.requests(), []);
  });

  it('a flow cannot hold the credentials of a message', async () => {
    const dynamicCredentials = JSON.stringify(keysOf('second'));
    const node = invokeNode({ dynamicCredentials, dynamicCredentialsType: 'json' });
    await bench.red.deploy([account(bench), node, sink('out')], { credentials: credentials() });
    const { error } = await bench.red.send('invoke', { payload: {} });
    assert.match(String(error?.message), /must not stand in the flow itself/);
    assert.deepEqual(await bench.aws.requests(), []);
  });

  it('without adminAuth the name in the address is believed', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    const headers = { host: 'made-to-lead-here.example', origin: 'http://made-to-lead-here.example' };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const url = new URL('aws-account/choices/regions', bench.red.url);
      const asking = request(url, { headers, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asking.on('error', reject).end();
    });
    assert.equal(status, 200);
  });

  it('other nodes run in one process with the accounts, and can read their keys', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    assert.deepEqual(bench.red.node('account').credentials, keysOf('demo'));
  });

  it('an endpoint gets the access key ID, a session token and signatures, but no secret key', async () => {
    const relay = await Relay.start(bench.aws.url);
    try {
      const stored = credentials('demo', { sessionToken: 'a-token-for-the-test' });
      await bench.red.deploy([account(bench, { endpoint: relay.url }), invokeNode(), sink('out')], {
        credentials: stored
      });
      await bench.red.send('invoke', { payload: {} });
      const sent = JSON.stringify(relay.exchanges.map(({ headers, body }) => [headers, body]));
      const { accessKeyId, secretAccessKey } = signIns.demo;
      assert.match(sent, new RegExp(`Credential=${accessKeyId}/.*Signature=[0-9a-f]{64}`));
      assert.ok(sent.includes('a-token-for-the-test'));
      assert.ok(!sent.includes(secretAccessKey));
    } finally {
      await relay.stop();
    }
  });
});
