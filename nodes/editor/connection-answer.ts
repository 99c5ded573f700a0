/** What the dialog of an account shows of a connection test. */
import type { CertificateSummary } from '../account/certificate';
import type { Connection as RuntimeConnection } from '../dialog/connection';
import type { EditorNode } from './node-red';
import type { Refusal } from './request';

export type Connection = Partial<RuntimeConnection> & { refusal?: Refusal };

/** The most characters of an error: AWS's text for a wrong signature is very long. */
const longestText = 300;

const shortened = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText)}…` : text);

const line = (name: string, value: string): JQuery =>
  $('<div></div>').append($('<b></b>').text(`${name} `), $('<span></span>').text(value));

const detail = (text: string): JQuery => $('<div class="nimbus-detail"></div>').text(text);

/** The element with the answer, below the button of the test. */
export class ConnectionAnswer {
  readonly element = $('<div class="nimbus-connection" role="status"></div>');

  /**
   * @param textIn gives the value of a control
   * @param isField whether the account has a field of this name
   */
  constructor(
    private readonly node: EditorNode,
    private readonly textIn: (name: string) => string,
    private readonly isField: (name: string) => boolean
  ) {}

  clear(text = ''): void {
    this.element.empty().removeClass('nimbus-trouble').text(text);
  }

  show(connection: Connection): void {
    this.clear();
    if (connection.refusal) this.#showTrouble(connection.refusal);
    else this.#showIdentity(connection);
    if (connection.certificate) this.#showCertificate(connection.certificate);
  }

  #say(key: string): string {
    return this.node._def._(`connection.${key}`);
  }

  #showIdentity(connection: Connection): void {
    const works = $('<div class="nimbus-fine"></div>').append(
      '<i class="fa fa-check" aria-hidden="true"></i> ',
      document.createTextNode(this.#say('works'))
    );
    this.element.append(
      works,
      line(this.#say('account'), connection.account ?? ''),
      line(this.#say('arn'), connection.arn ?? ''),
      line(this.#say('through'), this.#signIn(connection)),
      line(this.#say('region'), connection.region ?? '')
    );
  }

  /** The sign-in in words: where the keys come from, and the role that is assumed with them. */
  #signIn({ way }: Connection): string {
    const { textIn } = this;
    const source = textIn('source');
    const option = this.node._def._(`option.source.${source}`);
    const parts = [option];
    if (source === 'profile') parts.push(textIn('profile'));
    if (source === 'certificate') parts.push(this.node._def._(`option.exchange.${textIn('exchange')}`));
    if (source === 'default' && way) parts.push(this.#say(`way.${way}`));
    const roleArn = textIn('roleArn');
    return roleArn ? `${parts.join(': ')} → ${roleArn}` : parts.join(': ');
  }

  #showCertificate({ subject, issuer, validTo, endsSoon }: CertificateSummary): void {
    const end = validTo.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ' UTC');
    this.element.append(
      line(this.#say('subject'), subject),
      line(this.#say('issuer'), issuer),
      line(this.#say('validTo'), end)
    );
    if (endsSoon) this.element.append(detail(this.#say('endsSoon')));
  }

  #showTrouble({ kind, name = '', message: said = '' }: Refusal): void {
    const message = kind === 'settings' ? this.#labelled(said) : said;
    const general = this.node._def._(`trouble.${kind}`, { name, message, action: '', defaultValue: '' });
    const own = this.node._def._(`connection.trouble.${kind}`, { name, message, defaultValue: general });
    this.element.addClass('nimbus-trouble').append($('<div></div>').text(own || message));
    if (name) this.element.append(detail(shortened(`${name}: ${message}`)));
  }

  /** Replaces the property that the text begins with by its label in the editor's language. */
  #labelled(text: string): string {
    return text.replace(/^\w+/, (key) => (this.isField(key) ? this.node._def._(`label.${key}`) : key));
  }
}
