/** The account's own part of its dialog: the connection test, the policies, and clearing old session tokens. */
import type { CertificateSummary } from '../account/certificate';
import type { Connection as RuntimeConnection } from '../dialog/connection';
import type { Fields } from '../fields/fields';
import { addPolicies } from './account-policies';
import { meaningsOf } from './flows';
import type { EditorNode } from './node-red';
import { type Refusal, request } from './request';

type Connection = Partial<RuntimeConnection> & { refusal?: Refusal };

/** Clears the old session token when the keys change, unless a new one has been entered. */
function forgetSessionToken(): void {
  const token = $('#node-config-input-sessionToken');
  const former = token.val();
  $('#node-config-input-accessKeyId, #node-config-input-secretAccessKey').on('input', () => {
    if (former !== '' && token.val() === former) token.val('').trigger('change');
  });
}

/** Adds the button and its answer below the fields that are always visible. */
function addConnectionTest(node: EditorNode, fields: Fields): void {
  const say = (key: string, options: object = {}) => node._def._(`connection.${key}`, options);
  const input = (name: string) => $(`#node-config-input-${name}`);
  // Without a TLS configuration the control has the option to add one.
  const textIn = (name: string) => String(input(name).val() ?? '').replace(/^_ADD_$/, '');
  const held = (name: string) => (fields[name]?.control === 'flag' ? input(name).prop('checked') : textIn(name));
  const valuesOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, held(name)]));
  const names = Object.keys(fields);
  const credentials = names.filter((name) => fields[name]?.stored);
  const properties = names.filter((name) => !fields[name]?.stored);

  const button = $('<button type="button" class="red-ui-button"></button>').text(say('test'));
  const answer = $('<div class="nimbus-connection" role="status"></div>');
  $('<div class="form-row nimbus-row nimbus-test"></div>')
    .append(button, answer)
    .insertBefore($('#node-config-input-budget').closest('.form-row'));

  /** The text of AWS for a wrong signature is very long. */
  const shortened = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
  const line = (name: string, value: string) =>
    $('<div></div>').append($('<b></b>').text(`${name} `), $('<span></span>').text(value));

  function signIn({ way }: Connection): string {
    const { source, profile, exchange, roleArn } = valuesOf(['source', 'profile', 'exchange', 'roleArn']);
    const option = node._def._(`option.source.${source}`);
    const which: Record<string, string> = { profile, certificate: node._def._(`option.exchange.${exchange}`) };
    const from = which[source] === undefined ? option : `${option}: ${which[source]}`;
    const found = source === 'default' && way ? `${from}: ${say(`way.${way}`)}` : from;
    return roleArn ? `${found} → ${roleArn}` : found;
  }

  function showIdentity(connection: Connection): void {
    answer
      .removeClass('nimbus-trouble')
      .append(
        $('<div class="nimbus-fine"></div>').append(
          '<i class="fa fa-check" aria-hidden="true"></i> ',
          document.createTextNode(say('works'))
        ),
        line(say('account'), connection.account ?? ''),
        line(say('arn'), connection.arn ?? ''),
        line(say('through'), signIn(connection)),
        line(say('region'), connection.region ?? '')
      );
  }

  function showCertificate({ subject, issuer, validTo, endsSoon }: CertificateSummary): void {
    const end = validTo.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ' UTC');
    answer.append(line(say('subject'), subject), line(say('issuer'), issuer), line(say('validTo'), end));
    if (endsSoon) answer.append($('<div class="nimbus-detail"></div>').text(say('endsSoon')));
  }

  /** Replaces the property that the text begins with by its label in the editor's language. */
  const labelled = (text: string) =>
    text.replace(/^\w+/, (key) => (names.includes(key) ? node._def._(`label.${key}`) : key));

  function showTrouble({ kind, name = '', message: said = '' }: Refusal): void {
    const message = kind === 'settings' ? labelled(said) : said;
    const what = node._def._(`trouble.${kind}`, { name, message, action: '', defaultValue: '' });
    const own = node._def._(`connection.trouble.${kind}`, { name, message, defaultValue: what });
    answer.addClass('nimbus-trouble').append($('<div></div>').text(own || message));
    if (name) answer.append($('<div class="nimbus-detail"></div>').text(shortened(`${name}: ${message}`)));
  }

  let latest = 0;
  /** The answer disappears when a value changes. */
  for (const name of names) {
    input(name).on('change input', () => {
      latest += 1;
      answer.empty().removeClass('nimbus-trouble');
    });
  }
  /** Answers to earlier clicks are ignored. The button stays enabled, since a disabled one loses the focus. */
  button.on('click', async () => {
    latest += 1;
    const mine = latest;
    answer.empty().removeClass('nimbus-trouble').text(say('testing'));
    const body = {
      id: node.id,
      properties: valuesOf(properties),
      credentials: valuesOf(credentials),
      variables: meaningsOf(node, Object.values(valuesOf(names)).map(String))
    };
    const connection: Connection = await request<Connection>({
      url: 'aws-account/test',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
      timeout: 20_000
    });
    if (mine !== latest) return;
    answer.empty();
    if (connection.refusal) showTrouble(connection.refusal);
    else showIdentity(connection);
    if (connection.certificate) showCertificate(connection.certificate);
  });
}

/** Called when the dialog is opened. */
export function prepare(node: EditorNode, fields: Fields): void {
  addConnectionTest(node, fields);
  addPolicies(node);
  forgetSessionToken();
}
