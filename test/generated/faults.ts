/**
 * Faults that the pack has had, one of each kind. `npm run faults` puts them back into a copy, one after the other, and looks
 * whether they are found.
 */

/** A text of a file below `nodes/`, which stands there once, and what is put in its place. */
export type Edit = [file: string, text: string, fault: string];

/**
 * What finds a fault: generated messages, long texts, inputs from the network; or a test by its file and its name, where it
 * is none of what these bring, such as a dialog, a minute without an answer or thousands of messages at once.
 */
export type Finder = 'messages' | 'texts' | 'network' | [file: string, name: string];

export interface Fault {
  name: string;
  edits: Edit[];
  by: Finder;
}

/** The time of day in place of a clock that nobody sets, in a whole file: put behind an import that it has. */
const byTimeOfDay = (file: string, imported: string): Edit => [
  file,
  imported,
  `${imported}\nconst performance = { now: () => Date.now() };`
];

/** From strangers: what a message, a queue, a function or a page may hold. */
const ofStrangers: Fault[] = [
  {
    name: 'a callback of an expression throws inside Node-RED',
    edits: [
      [
        'fields/values.ts',
        'RED.util.evaluateJSONataExpression(prepared, msg, callback)',
        'RED.util.evaluateJSONataExpression(prepared, msg, (error, value) => callback(error && (error as Error).message.trim(), value))'
      ]
    ],
    by: 'messages'
  },
  {
    name: 'members of what was thrown are read as if they could not throw',
    edits: [
      [
        'fields/thrown.ts',
        `  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }`,
        '  return (thrown as Record<string, unknown> | null | undefined)?.[name];'
      ]
    ],
    by: 'messages'
  },
  {
    name: 'what was thrown is taken for text that can be written',
    edits: [
      [
        'fields/thrown.ts',
        `    return JSON.stringify(value) ?? 'an object';
  } catch {
    return 'something that cannot be read';
  }`,
        `    return JSON.stringify(value) ?? 'an object';
  } finally {
  }`
      ]
    ],
    by: 'messages'
  },
  {
    name: 'a list of an attribute is looked through from each of its quotes',
    edits: [['messaging/attributes.ts', String.raw`/"(?:[^"\\]|\\.)*"?|\./gs`, String.raw`/"(?:[^"\\]|\\.)*"|\./gs`]],
    by: 'texts'
  },
  {
    name: 'a value is written as JSON before its length is looked at',
    edits: [['fields/json.ts', '    checkJsonLength(value, name, most);\n    text', '    text']],
    by: 'network'
  },
  {
    name: 'an answer may have any length',
    edits: [['account/answer-size.ts', 'if (length <= short) return body;', 'if (short > 0) return body;']],
    by: 'network'
  },
  {
    name: 'what waits to be drawn is bounded by bytes alone',
    edits: [['rekognition/drawing-backlog.ts', 'pixels: 1_000_000_000 }', 'pixels: Infinity }']],
    by: ['rekognition/rekognition-trouble', 'holds only so many pixels of a node']
  },
  {
    name: 'a received message that cannot be sent on takes the others with it',
    edits: [['messaging/incoming.ts', 'this.#tellStuck(held.messageId, reasonOf(thrown));', 'throw thrown;']],
    by: 'network'
  },
  {
    name: 'a received message with broken bytes takes the others with it',
    edits: [['account/exchanges.ts', "operation === 'ReceiveMessage' ?", "operation === '' ?"]],
    by: 'network'
  },
  {
    name: 'a message that cannot be written is found out after the request',
    edits: [['action/input.ts', '    for (const name of names) checkSet(msg, name);\n', '']],
    by: 'messages'
  },
  {
    name: 'bytes of a Function node are an object',
    edits: [
      [
        'fields/bytes.ts',
        'types.isUint8Array(value) || types.isDataView(value)',
        'value instanceof Uint8Array || value instanceof DataView'
      ],
      ['fields/bytes.ts', 'types.isAnyArrayBuffer(value) ?', 'value instanceof ArrayBuffer ?']
    ],
    by: 'messages'
  },
  {
    name: 'the test of a sign-in takes stored secrets elsewhere',
    edits: [['dialog/draft.ts', 'if (isElsewhere && !isFree) return', 'if (isElsewhere && isFree) return']],
    by: ['dialog/endpoints', 'takes nothing that is stored']
  },
  {
    name: 'the value of a variable is quoted',
    edits: [['account/settings.ts', '.filter((value) => !telling.test(value))', '.filter(() => false)']],
    by: ['dialog/endpoints', 'quotes no variable to anybody']
  },
  {
    name: 'the log of a function is written as it is',
    edits: [['lambda/aws-lambda-invoke.ts', 'node.log(asLogEntry(log))', 'node.log(log)']],
    by: 'messages'
  },
  {
    name: 'control and direction characters are shown',
    edits: [
      [
        'fields/lines.ts',
        String.raw`text
        .replace(/\p{Bidi_Control}+/gu, '')
        .replace(/[\s\p{Cc}]+/gu, ' ')
        .trim();`,
        'text.trim();'
      ]
    ],
    by: 'messages'
  },
  {
    name: 'a path of a message leads to another machine',
    edits: [['rekognition/picture-files.ts', '  if (isElsewhere(path)) {', "  if (path === '') {"]],
    by: ['rekognition/aws-rekognition-detect', 'of another machine is not taken']
  },
  {
    name: 'an answer that cannot be read is an error of JavaScript',
    edits: [
      [
        'account/to-action-error.ts',
        "new Set([...ofJavaScript, 'UnknownError', 'Unknown'])",
        "new Set(['UnknownError', 'Unknown'])"
      ],
      [
        'account/to-action-error.ts',
        "ofJavaScript.has(failure.name ?? 'Error') ? describeUnforeseen(failure) :",
        'ofJavaScript.size === 0 ? describeUnforeseen(failure) :'
      ]
    ],
    by: 'messages'
  },
  {
    name: 'an answer that a gateway has packed is taken as it is',
    edits: [
      [
        'account/unpack.ts',
        "if (!encoding || encoding === 'identity' || !body) return;",
        "if (!encoding || encoding !== 'identity' || !body) return;"
      ]
    ],
    by: 'messages'
  },
  {
    name: 'a 101 is waited for',
    edits: [
      ['account/unpack.ts', '  if (statusCode < 200) throw refused(answer);\n', ''],
      ['account/agents.ts', '      refuseUpgrades(agent);\n', '']
    ],
    by: 'messages'
  },
  {
    name: 'the time zone of a file has no name',
    edits: [['lambda/host.ts', 'return (file && zoneOfFile(file)) || offset();', 'return String(file && known);']],
    by: ['lambda/aws-lambda-invoke', 'of the file that TZ names']
  }
];

/** Of months on a bad line: clocks, links, answers that are not AWS's, long texts. */
const ofBadLines: Fault[] = [
  {
    name: 'a receiver rests by the time of day',
    edits: [byTimeOfDay('messaging/receiver.ts', "import { Visibility } from './visibility';")],
    by: 'messages'
  },
  {
    name: 'the visibility of messages ends by the time of day',
    edits: [
      byTimeOfDay('messaging/receiver.ts', "import { Visibility } from './visibility';"),
      byTimeOfDay('messaging/visibility.ts', "import { handleExpired } from './held-messages';"),
      byTimeOfDay('messaging/held-messages.ts', "import { MessageGroups } from './message-groups';")
    ],
    by: 'messages'
  },
  {
    name: 'credentials are renewed by the time of day',
    edits: [byTimeOfDay('account/shared-credentials.ts', "import { ServiceClock } from './service-clock';")],
    by: ['account/sign-in', 'while the clock of this machine is set']
  },
  {
    name: 'requests are signed for the time of this machine',
    edits: [['account/service-clock.ts', 'new Date(clock.at())', 'new Date()']],
    by: 'messages'
  },
  {
    name: 'a request that was signed for a wrong time is not sent again',
    edits: [['account/client.ts', 'if (this.parts.clock.hasRefused(failure)) return', 'if (!failure) return']],
    by: 'messages'
  },
  {
    name: 'the time of a portal is taken for that of AWS',
    edits: [['account/service-clock.ts', 'if (isOfService(response)) {', 'if (isOfService(response) || date) {']],
    by: 'messages'
  },
  {
    name: 'a slow link is cut although bytes flow',
    edits: [['account/http-handler.ts', 'if (this.#silence) this.#timer', 'if (this.#silence === -1) this.#timer']],
    by: ['account/links', 'brings the messages of a receiver, however long they take']
  },
  {
    name: 'idle connections have no age',
    edits: [['account/http-handler.ts', 'closeIdle(longestIdle)', 'closeIdle(1e9 * longestIdle)']],
    by: ['account/links', 'carries nothing that comes when they have been idle']
  },
  {
    name: 'an old connection that is silent is waited for',
    edits: [
      [
        'account/http-handler.ts',
        'this.#limitSilence(answerWithin)',
        'this.#limitSilence(Math.max(answerWithin, silence))'
      ]
    ],
    by: ['account/links', 'takes a picture by a new one']
  },
  {
    name: 'the neighbours of a dead connection are tried one after the other',
    edits: [
      [
        'account/http-handler.ts',
        'if (this.sent.reusedSocket && !this.#response) this.agents',
        'if (this.#began === -1) this.agents'
      ]
    ],
    by: ['account/links', 'none of those after it']
  },
  {
    name: 'a message that was sent is tried to be deleted once',
    edits: [['messaging/receiver.ts', "if (nameOf(error) === 'HandleExpired') return;", 'return;']],
    by: 'messages'
  },
  {
    name: 'a source of keys that hangs is waited for',
    edits: [['account/sources.ts', 'Promise.race([answer, late])', 'Promise.race([answer, late.catch(() => answer)])']],
    by: ['account/links', 'holds messages up for a minute']
  },
  {
    name: 'any number of messages may wait in a node',
    edits: [['account/backlog.ts', 'this.#messages >= this.mostMessages || this', 'this']],
    by: ['account/links', 'holds no more than 10,000 messages']
  },
  {
    name: 'any number of bytes may wait in a node',
    edits: [['account/backlog.ts', 'others > 0 && others + bytes > this.mostBytes', 'others < 0']],
    by: ['account/links', 'holds no more than 64 MiB of pictures']
  },
  {
    name: 'the value of a field is waited for without end',
    edits: [['fields/read.ts', 'await inTime(name, reader.origin, reader.later(msg))', 'await reader.later(msg)']],
    by: ['account/links', 'ends a message after a minute']
  },
  {
    name: 'a message that waits for its own fields holds up the others',
    edits: [['action/input.ts', 'this.work.mayOvertake?.(inputs) ? before?.timely : before?.all', 'before?.all']],
    by: 'messages'
  },
  {
    name: 'the timeout of an invocation begins with its request',
    edits: [
      [
        'action/input.ts',
        'const seconds = this.work.timeout?.(inputs);',
        'const seconds = undefined as number | undefined;'
      ]
    ],
    by: ['account/links', 'counts for the timeout of an invocation']
  },
  {
    name: 'an answer is not checked against its shape',
    edits: [['account/client.ts', 'checkAnswer(command.schema, output, exchange.contentType);', 'void checkAnswer;']],
    by: 'messages'
  },
  {
    name: 'what an answer says of the URL of a queue is believed',
    edits: [['messaging/queue.ts', 'URL.canParse(QueueUrl) && QueueUrl.endsWith(`/${name}`)', "QueueUrl !== ''"]],
    by: 'messages'
  },
  {
    name: 'a wrong URL of a queue is kept',
    edits: [['messaging/queue.ts', 'if (known.get(key)?.url === url) known.delete(key);', 'void [key, url];']],
    by: ['messaging/queue-urls', 'is asked for again']
  },
  {
    name: 'a page with 429 is not worth another try',
    edits: [['account/to-action-error.ts', ' || status === 429', '']],
    by: 'messages'
  },
  {
    name: 'a slash at the end of an endpoint makes two',
    edits: [['account/endpoint-options.ts', '{ endpoint: withoutSlash(endpoint) }', '{ endpoint }']],
    by: 'messages'
  },
  {
    name: 'a text is looked through for a password before it is cut',
    edits: [
      [
        'fields/fields.ts',
        'const text = withoutPassword(value.slice(0, mostLookedAt));',
        String.raw`const text = value.replace(/\/\/.*@/, '//***@');`
      ]
    ],
    by: 'texts'
  },
  {
    name: 'the blanks of a source are looked through from each of them',
    edits: [
      ['rekognition/save.ts', 'const plain = cut(text, longestSource)', 'const plain = text'],
      ['rekognition/save.ts', '(?<![. ])[. ]+$', '[. ]+$']
    ],
    by: 'texts'
  },
  {
    name: 'the blanks of a reason are looked through from each of them',
    edits: [
      ['fields/thrown.ts', 'return shortLine(textOf(reason))\n    .slice(0, longestText)', 'return textOf(reason)'],
      ['fields/thrown.ts', String.raw`/(?<![.\s])[.\s]+$/`, String.raw`/[.\s]+$/`]
    ],
    by: 'texts'
  },
  {
    name: 'messages that name the same queues wait for each other',
    edits: [
      [
        'messaging/fifo-groups.ts',
        '[...failed].every(({ number }) => number >= next.message.number)',
        'failed.size === 0'
      ]
    ],
    by: 'messages'
  },
  {
    name: 'a queue has an order for each of its names',
    edits: [['messaging/aws-sqs-send.ts', 'nameOf: nameOfQueue', 'nameOf: (url: string) => url']],
    by: ['messaging/batch', 'by whatever name']
  },
  {
    name: 'sources share a file',
    edits: [['rekognition/save.ts', '${name}_${markOf(text)}`', '${name}`']],
    by: ['rekognition/bad-pictures', 'has files of its own']
  },
  {
    name: 'what is known of a queue is forgotten with its client',
    edits: [['messaging/queue.ts', 'const mostNames = 10_000;', 'const mostNames = 32;']],
    by: ['messaging/queue-urls', 'tenants']
  },
  {
    name: 'a fault that may pass stops a folder',
    edits: [
      [
        'rekognition/aws-rekognition-index-face.ts',
        'if (!mayPass || this.#row >= mostInARow) this.end ??= error;',
        'this.end ??= error;'
      ]
    ],
    by: ['rekognition/aws-rekognition-index-face', 'goes on with the others']
  },
  {
    name: 'a fault that stays does not stop a folder',
    edits: [
      [
        'rekognition/aws-rekognition-index-face.ts',
        '    if (!mayPass || this.#row >= mostInARow) this.end ??= error;\n',
        ''
      ]
    ],
    by: ['rekognition/aws-rekognition-index-face', 'whose rights end in the middle']
  }
];

/** What makes a store lose messages, or send them in another order. */
const flushing = '    await file.flush();\n    // The name of the file has to be on the disk as well, and';
const overOutages: Finder = ['durability/outages', 'all arrive'];
const ofStores: Fault[] = [
  {
    name: 'what is written to the store is not flushed',
    edits: [['outbox/log.ts', flushing, '    // The name of the file has to be on the disk as well, and']],
    by: overOutages
  },
  {
    name: 'a message ends before it is flushed',
    edits: [['outbox/log.ts', flushing, flushing.replace('await file', 'void file')]],
    by: overOutages
  },
  {
    name: 'the name of a segment is not flushed',
    edits: [['outbox/log.ts', '    if (isNew) await this.options.disk.flushFolder(this.options.folder);\n', '']],
    by: overOutages
  },
  {
    name: 'the names of the folders that a store is in are not flushed',
    edits: [['outbox/log.ts', '    if (!this.#isFolderSafe) await this.#saveFolder();\n', '']],
    by: overOutages
  },
  {
    name: 'what has failed lines up again behind what came later',
    edits: [['outbox/sequence.ts', 'this.#tail !== none && table.id(this.#tail) < id', 'this.#tail !== none']],
    by: overOutages
  },
  {
    name: 'a message whose region has to be found is overtaken by the next one',
    edits: [
      [
        'action/define-action.ts',
        'this.#requestsFor(keeper, inputs, targets), task',
        'await this.#requestsFor(keeper, inputs, targets), task'
      ]
    ],
    by: ['messaging/aws-sqs-send', 'in the order of their messages']
  },
  {
    name: 'a moved message is not noted where it was',
    edits: [['outbox/log.ts', 'if (segment) await this.#writeNotes(segment, places.map(keyOf));', '']],
    by: ['outbox/log', 'moved once at each moment']
  },
  {
    name: 'notes of what has left count for what is new',
    edits: [['outbox/log.ts', 'Math.max(this.#lastNumber, numberIn(name))', 'Math.max(0, ...numbers)']],
    by: ['outbox/log', 'for one of what is new']
  }
];

export const faults: readonly Fault[] = [...ofStrangers, ...ofBadLines, ...ofStores];

/** Where a file of a fault's edit is, from the project's folder. */
export const fileOf = ([file]: Edit): string => `nodes/${file}`;

/** A file's text with the fault in it. Throws where its text is not there once: the code has changed since. */
export function withFault(source: string, [file, text, fault]: Edit): string {
  const times = source.split(text).length - 1;
  if (times !== 1) throw new Error(`${file} has ${times} times, instead of once: ${text}`);
  return source.replace(text, () => fault);
}
