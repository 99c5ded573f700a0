import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { Context } from '../action/action';
import { defineAction } from '../action/define-action';
import { ownError } from '../fields/errors';
import { choice, flag, number, optional, text } from '../fields/fields';

/** The most characters of a marker. It becomes part of a URL, and no server accepts a longer one. */
const longestMarker = 16_384;

export const fields = {
  scope: choice(['all', 'page'], { icon: 'files-o' }),
  maxItems: optional(number({ min: 1, max: 50, integer: true, value: '50', icon: 'list-ol' })),
  marker: optional(
    text({ value: 'marker', from: 'msg', maxLength: longestMarker, when: { scope: ['page'] }, icon: 'bookmark-o' })
  ),
  allVersions: flag(false)
};

interface Page {
  functions: FunctionConfiguration[];
  next: string | undefined;
}

async function listPage(
  { sdk, inputs, send }: Context<'lambda', typeof fields>,
  marker: string | undefined
): Promise<Page> {
  const { Functions = [], NextMarker } = await send(
    new sdk.ListFunctionsCommand({
      MaxItems: inputs.maxItems,
      Marker: marker,
      FunctionVersion: inputs.allVersions ? 'ALL' : undefined
    })
  );
  return { functions: Functions, next: NextMarker || undefined };
}

async function listAll(context: Context<'lambda', typeof fields>): Promise<Page> {
  const functions: FunctionConfiguration[] = [];
  let next: string | undefined;
  do {
    const page: Page = await listPage(context, next);
    if (page.next !== undefined && page.next === next) {
      throw ownError('UnknownError', 'The service gave the same page twice: it would never come to an end.');
    }
    functions.push(...page.functions);
    next = page.next;
  } while (next !== undefined);
  return { functions, next };
}

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-lambda-list',
  service: 'lambda',
  operation: 'ListFunctions',
  fields,
  adds: ({ scope }) => (scope === 'page' ? ['marker'] : []),
  async run(context) {
    const { scope, marker } = context.inputs;
    const { functions, next } = await (scope === 'all' ? listAll(context) : listPage(context, marker));
    return {
      parsed: () => functions,
      raw: () => ({ Functions: functions, ...(next !== undefined && { NextMarker: next }) }),
      ...(scope === 'page' && { message: { marker: next } })
    };
  }
});
