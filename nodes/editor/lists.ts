/* The lists beside the fields of a dialog: which one a field has, and how it is asked for. */

/** The lists by the names of their fields. */
type Lists = Record<string, Picker>;

// biome-ignore lint/correctness/noUnusedVariables: the form calls it
function nimbusLists(controls: NimbusControls, node: EditorNode): Lists {
  /** Lists that the machine itself has. */
  const ofMachine = ['regions', 'profiles'];

  /** Asks the runtime for a page of a list. It answers in time, or there is a reason. */
  async function ask(list: string, after: string): Promise<ChoicePage> {
    const account = ofMachine.includes(list) ? '' : controls.held('account');
    if (!ofMachine.includes(list) && account === '') return { refusal: { kind: 'noAccount' } };
    const of = list === 'qualifiers' ? controls.literal(node, 'functionName') : '';
    if (list === 'qualifiers' && controls.current(node, 'functionName') === '')
      return { refusal: { kind: 'noFunction' } };
    if (list === 'qualifiers' && (of === '' || nimbusIsEnv(of))) return { refusal: { kind: 'unknownFunction' } };
    const data = { account, region: list === 'regions' ? '' : controls.literal(node, 'region'), of, after };
    return nimbusRequest({ url: `aws-account/choices/${list}`, data, timeout: 5000 });
  }

  function choose(name: string, value: string): void {
    if (controls.fields[name]?.types) controls.input(name).typedInput('value', value);
    controls.input(name).val(value).trigger('change');
  }

  const lists: Lists = {};
  for (const [name, { offers, types }] of Object.entries(controls.fields)) {
    const [control] = types ? controls.container(name) : controls.input(name);
    if (!offers || !control) continue;
    const picker = nimbusPicker({
      control,
      label: controls.labelOf(node, name),
      say: (key, options) => controls.say(node, key, options),
      value: () => controls.held(name),
      ask: (after) => ask(offers, after),
      choose: (value) => choose(name, value)
    });
    lists[name] = picker;
    controls.face(name).on('keydown', ({ altKey, key }) => {
      if (altKey && key === 'ArrowDown') picker.open();
    });
  }
  return lists;
}
