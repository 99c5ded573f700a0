/** The account's own part of its dialog: the connection test, the policies, and clearing old session tokens. */
import type { Fields } from '../fields/fields';
import { addPolicies } from './account-policies';
import { type Connection, ConnectionAnswer } from './connection-answer';
import { draftWith } from './draft';
import type { EditorNode } from './node-red';
import { request } from './request';

/** Longer than the runtime's own limit for a test, ms. */
const longestTest = 20_000;

const inputOf = (name: string): JQuery => $(`#node-config-input-${name}`);

/** Without a TLS configuration the control has the option to add one. */
const textIn = (name: string): string => String(inputOf(name).val() ?? '').replace(/^_ADD_$/, '');

/** Clears the old session token when the keys change, unless a new one has been entered. */
function forgetSessionToken(): void {
  const token = inputOf('sessionToken');
  const former = token.val();
  $('#node-config-input-accessKeyId, #node-config-input-secretAccessKey').on('input', () => {
    if (former !== '' && token.val() === former) token.val('').trigger('change');
  });
}

/** Requests a test of the account as it is in the dialog, deployed or not. */
function testConnection(node: EditorNode, fields: Fields): Promise<Connection> {
  const properties: Record<string, unknown> = {};
  const credentials: Record<string, unknown> = {};
  for (const [name, { control, stored }] of Object.entries(fields)) {
    const values = stored ? credentials : properties;
    values[name] = control === 'flag' ? inputOf(name).prop('checked') : textIn(name);
  }
  return request<Connection>({
    url: 'aws-account/test',
    method: 'POST',
    contentType: 'application/json',
    data: JSON.stringify(draftWith(node, properties, credentials)),
    timeout: longestTest
  });
}

/** Adds the button and its answer below the fields that are always visible. */
function addConnectionTest(node: EditorNode, fields: Fields): void {
  const say = (key: string) => node._def._(`connection.${key}`);
  const button = $('<button type="button" class="red-ui-button"></button>').text(say('test'));
  const answer = new ConnectionAnswer(node, textIn, (name) => name in fields);
  $('<div class="form-row nimbus-row nimbus-test"></div>')
    .append(button, answer.element)
    .insertBefore(inputOf('budget').closest('.form-row'));
  /** Counts clicks and changes; the answer to an earlier click is ignored. */
  let latest = 0;
  for (const name of Object.keys(fields)) {
    inputOf(name).on('change input', () => {
      latest += 1;
      answer.clear();
    });
  }
  // The button stays enabled, since a disabled one loses the focus.
  button.on('click', async () => {
    latest += 1;
    const mine = latest;
    answer.clear(say('testing'));
    const connection = await testConnection(node, fields);
    if (mine === latest) answer.show(connection);
  });
}

/** Called when the dialog is opened. */
export function prepare(node: EditorNode, fields: Fields): void {
  addConnectionTest(node, fields);
  addPolicies(node);
  forgetSessionToken();
}
