/** Requests the lists of a dialog from the runtime, as far as the dialog knows what to ask for. */
import type { ResolvedText } from '../dialog/variables';
import { type Controls, hasVariable } from './controls';
import { draftOf } from './draft';
import { resolveText } from './flows';
import type { EditorNode } from './node-red';
import type { ChoicePage } from './picker';
import { request } from './request';

/** Lists that need no account. */
const withoutAccount = ['regions', 'profiles'];
/** How long the runtime may take to answer, ms. */
const longestAnswer = 5000;

/** Why the runtime makes no list of an account as it stands in the editor. That of the deployed one may still be had. */
const notFromDraft = ['forbidden', 'notYours', 'unknownVariable'];

type Answer = ChoicePage & { region?: string };

/** The field that another list depends on, and the troubles to report if it is empty, or known only when the flow runs. */
interface Owner {
  field: string;
  missing: string;
  unknown: string;
}

const owners: Partial<Record<string, Owner>> = {
  qualifiers: { field: 'functionName', missing: 'noFunction', unknown: 'unknownFunction' },
  people: { field: 'collection', missing: 'noCollection', unknown: 'unknownCollection' }
};

/** The lists of one dialog. */
export class ListRequests {
  constructor(
    private readonly controls: Controls,
    private readonly node: EditorNode
  ) {}

  /** Requests a page of a list. Never rejects: a timeout is a refusal as well. */
  async page(list: string, after: string): Promise<ChoicePage> {
    const url = `aws-account/choices/${list}`;
    if (withoutAccount.includes(list)) return request<ChoicePage>({ url, data: { after }, timeout: longestAnswer });
    const account = this.#account;
    if (!('text' in account)) return { refusal: { kind: 'unknownAccount' } };
    if (account.text === '') return { refusal: { kind: 'noAccount' } };
    const owner = owners[list];
    const of: ResolvedText = owner ? this.#resolved(owner.field) : { text: '' };
    const kind = owner && this.#troubleWith(owner, of);
    if (kind) return { refusal: { kind } };
    const region = this.#resolved('region');
    const data = {
      account: account.text,
      region: 'text' in region ? region.text : '',
      of: 'text' in of ? of.text : '',
      after
    };
    const { page, isOutdated } = await this.#request(url, data);
    const notes = [
      isOutdated ? this.controls.say(this.node, 'picker.undeployed') : undefined,
      this.#noteOfAccount(account.text),
      this.#noteOfCredentials(),
      'unknown' in region ? this.#noteOfRegion(region.unknown, page.region) : undefined
    ];
    return { ...page, note: notes.filter((note) => note !== undefined).join(' ') };
  }

  /**
   * Requests a page through the account as it stands in the editor. `isOutdated`: that could not be, and the page is from the
   * deployed account.
   */
  async #request(url: string, data: { account: string }): Promise<{ page: Answer; isOutdated: boolean }> {
    const account = RED.nodes.node(data.account);
    const isChanged = account?.changed === true && account.d !== true;
    if (isChanged) {
      const body = JSON.stringify({ ...data, draft: draftOf(account) });
      const settings = { url, method: 'POST', contentType: 'application/json', data: body, timeout: longestAnswer };
      const page: Answer = await request<Answer>(settings);
      if (!notFromDraft.includes(page.refusal?.kind ?? '')) return { page, isOutdated: false };
    }
    const page: Answer = await request<Answer>({ url, data, timeout: longestAnswer });
    return { page, isOutdated: isChanged && page.refusal?.kind !== 'notDeployed' };
  }

  /** The value of a field, if it is known without running the flow. */
  #resolved(name: string): ResolvedText {
    const { controls, node } = this;
    const { types } = controls.fields[name] ?? {};
    const type = types ? controls.typeOf(node, name) : 'str';
    const value = String(controls.current(node, name));
    if (value === '' || (type === 'str' && !hasVariable(value))) return { text: value };
    if (type === 'str' || type === 'env') return resolveText(node, value, type);
    return { unknown: type === 'jsonata' ? 'expression' : 'message' };
  }

  /**
   * The ID of the account. In a subflow it may be an environment variable: where its instances differ, the account that the
   * subflow itself has, or else its first instance.
   */
  get #account(): ResolvedText {
    const held = this.controls.held('account');
    if (!hasVariable(held)) return { text: held };
    const inAll = resolveText(this.node, held, 'str');
    if ('text' in inAll) return inAll;
    const one = [0, 1].map((instances) => resolveText(this.node, held, 'str', instances));
    return one.find((each) => 'text' in each && RED.nodes.node(each.text)) ?? inAll;
  }

  /** Why a list that depends on another field cannot be requested; `undefined` if it can. */
  #troubleWith({ field, missing, unknown }: Owner, of: ResolvedText): string | undefined {
    if ('text' in of && of.text !== '' && !hasVariable(of.text)) return undefined;
    return this.controls.current(this.node, field) === '' ? missing : unknown;
  }

  /** For a node whose account differs between the instances of its subflow. */
  #noteOfAccount(id: string): string | undefined {
    const { controls, node } = this;
    const held = controls.held('account');
    if (!hasVariable(held) || 'text' in resolveText(node, held, 'str')) return undefined;
    const account = RED.nodes.node(id);
    return controls.say(node, 'picker.account', { label: account ? RED.utils.getNodeLabel(account, id) : id });
  }

  /** For a node that may use other credentials than the account's, which the list is requested with. */
  #noteOfCredentials(): string | undefined {
    const { controls, node } = this;
    const hasOwn = controls.fields.dynamicCredentials && controls.current(node, 'dynamicCredentials') !== '';
    return hasOwn ? controls.say(node, 'picker.credentials') : undefined;
  }

  /** For a region that only the running flow knows. */
  #noteOfRegion(unknown: string, region: string | undefined): string | undefined {
    return region ? this.controls.say(this.node, `picker.region.${unknown}`, { region }) : undefined;
  }
}
