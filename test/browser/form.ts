/** How the form of the topmost dialog looks: questions for the page. */
import type { Editor } from './editor';

/** In the page: the topmost form, what can be focused in it, and what a screen reader calls it. */
export const inForm = `
  const form = [...document.querySelectorAll('.red-ui-tray form:has(> .nimbus-row)')].pop();
  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const controls = [...form.querySelectorAll('input, select, button, summary, textarea, a[href], [tabindex]')]
    .filter((element) => element.closest('.nimbus-row, .nimbus-advanced') && element.tabIndex >= 0 && !element.disabled && isVisible(element));
  const nameOf = (element) =>
    (element.ariaLabel || [...(element.labels ?? [])].map(({ innerText }) => innerText).join() || element.innerText || element.title || '').trim();
  const placeOf = (element) => { const { x, y, width, height } = element.getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 }; };
  const controlOf = (element) => {
    const { x, y } = placeOf(element);
    const top = document.elementFromPoint(x, y);
    return {
      name: nameOf(element),
      tag: element.tagName.toLowerCase(),
      index: controls.indexOf(element),
      tabIndex: element.tabIndex,
      isSeen: isVisible(element),
      cover: !top ? 'the edge of the window' : element.contains(top) || top.contains(element) ? '' : top.outerHTML.slice(0, 80)
    };
  };
  const kindOf = ({ tagName, type = '', role, classList }) =>
    [tagName.toLowerCase(), type, role, ...[...classList].filter((name) => /^(nimbus|red-ui)-/.test(name))].filter(Boolean).join(' ');
  const inOrder = (elements) => {
    const places = elements.map((element) => element.getBoundingClientRect());
    const wrong = elements.findIndex((_, index) => {
      const [one, next] = [places[index], places[index + 1]];
      return next && !(next.top >= one.bottom - 1 || (next.left >= one.right - 1 && next.bottom > one.top));
    });
    return wrong < 0 ? '' : nameOf(elements[wrong]);
  };
`;

/** In the page: what is wrong with how the form looks. */
const layout = `
  const words = (element) => element.tagName.toLowerCase() + ' ' + (element.innerText || element.value || element.id).slice(0, 60);
  const boxOf = (element) => element.getBoundingClientRect();
  const all = (selector, within = form) => [...within.querySelectorAll(selector)].filter(isVisible);
  const meet = (one, other) => {
    const [a, b] = [boxOf(one), boxOf(other)];
    return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  };
  const overlapping = (elements) => elements.flatMap((one, index) =>
    elements.slice(index + 1).filter((other) => meet(one, other)).map((other) => words(one) + ' meets ' + words(other)));
  const texts = all('label, summary, button, .nimbus-hint, .nimbus-reason, .nimbus-choice, .nimbus-choice-name, .nimbus-choice-state, .nimbus-connection');
  const cut = texts.filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1);
  const pen = document.createElement('canvas').getContext('2d');
  const cutChoices = all('select').filter((select) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(select);
    pen.font = font;
    const room = select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - 16;
    return [...select.options].some(({ text }) => pen.measureText(text).width > room);
  });
  const tray = boxOf(form.closest('.red-ui-tray'));
  const outside = [...texts, ...all('input, select, .red-ui-typedInput-container, .nimbus-choices')]
    .filter((element) => boxOf(element).left < tray.left || boxOf(element).right > Math.min(tray.right, innerWidth) + 1);
  const rows = all('.nimbus-row').concat(all('summary'));
  const parts = rows.flatMap((row) => overlapping([...row.children].filter((part) => isVisible(part) && !part.matches('.nimbus-choices'))));
  return {
    text: form.innerText,
    untidy: [
      ...cut.map((element) => words(element) + ' is cut off'),
      ...cutChoices.map((element) => words(element) + ': a choice is cut off'),
      ...outside.map((element) => words(element) + ' sticks out'),
      ...overlapping(rows),
      ...parts,
      ...overlapping(all('.nimbus-choice')).slice(0, 3)
    ]
  };
`;

const keys = /\b(label|hint|option|placeholder|section|invalid|status|picker|trouble|connection)\.\w+/g;

/** What is cut off, lies over something else, sticks out, or is a key instead of a word. */
export async function untidyIn(editor: Editor): Promise<string[]> {
  const script = `(() => { ${inForm} ${layout} })()`;
  const { text, untidy } = (await editor.page.evaluate(script)) as { text: string; untidy: string[] };
  return [...(text.match(keys) ?? []), ...untidy];
}
