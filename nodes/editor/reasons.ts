/* Why a value will not do, in words. */

/** A reason, or true where there is none: as Node-RED's validators have it. */
type Reason = true | string;

/** What the editor shows in place of a password that only the runtime has. */
const unseen = '__PWRD__';

interface Reasons {
  /** Of a property's value; unless the dialog is open, of the credentials that depend on it, too. */
  check(node: EditorNode, name: string, value: unknown): Reason;
  /** Of what a control holds. */
  of(node: EditorNode, name: string): Reason;
}

// biome-ignore lint/correctness/noUnusedVariables: the form calls it
function nimbusReasons(controls: NimbusControls): Reasons {
  const { fields } = controls;
  const stored = nimbusStored();

  function numberReason(node: EditorNode, name: string, field: FieldView, value: string): Reason {
    const { min = -Infinity, max = Infinity, integer = false } = field;
    const number = Number(value);
    if (value.trim() !== '' && number >= min && number <= max && (!integer || Number.isInteger(number))) return true;
    return controls.say(node, integer ? 'invalid.wholeNumber' : 'invalid.number', {
      label: controls.labelOf(node, name),
      min,
      max
    });
  }

  function textReason(node: EditorNode, name: string, field: FieldView, value: string): Reason {
    const { pattern, maxLength = Infinity } = field;
    // The runtime takes blanks off that were pasted around a credential.
    const text = field.stored ? value.trim() : value;
    if (text.length <= maxLength && (!pattern || new RegExp(...pattern).test(text))) return true;
    return controls.say(node, `invalid.${name}`, {
      defaultValue: controls.say(node, 'invalid.text', { label: controls.labelOf(node, name) })
    });
  }

  function literalReason(node: EditorNode, name: string, field: FieldView, value: string): Reason {
    if (nimbusIsEnv(value)) return true;
    if (field.control === 'number') return numberReason(node, name, field, value);
    if (field.options && !field.options.includes(value))
      return controls.say(node, 'invalid.text', { label: controls.labelOf(node, name) });
    return field.control === 'text' || field.control === 'secret' ? textReason(node, name, field, value) : true;
  }

  function reason(node: EditorNode, name: string, given: unknown): Reason {
    const field = fields[name] as FieldView;
    const value = String(given ?? field.value);
    if (field.control === 'flag' || (field.stored && value === unseen) || !controls.isShown(node, field)) return true;
    if (value === '')
      return !field.required || controls.say(node, 'invalid.required', { label: controls.labelOf(node, name) });
    if (!field.types) return literalReason(node, name, field, value);
    const type = controls.typeOf(node, name);
    const literal = type === 'str' || type === 'num';
    if (literal && field.control !== 'json') return literalReason(node, name, field, value);
    const valid = RED.utils.validateTypedProperty(value, type, {});
    return valid === true || `${controls.labelOf(node, name)}: ${valid}`;
  }

  /** Stored credentials that depend on a field. */
  const dependants = (name: string) =>
    Object.entries(fields).filter(([, field]) => field.stored && field.when && name in field.when);

  /** Of a node whose dialog is closed. */
  function credentialReason(node: EditorNode, name: string, field: FieldView): Reason {
    if (!controls.isShown(node, field)) return true;
    const known = stored.of(node);
    if (!known) return true;
    const value = known[name];
    // A text is known in full, and a password that has just been typed.
    return reason(node, name, typeof value === 'string' && value !== '' ? value : known[`has_${name}`] ? unseen : '');
  }

  /** Why a property's value will not do, in words, or true. */
  function check(node: EditorNode, name: string, value: unknown): Reason {
    const own = reason(node, name, value);
    // In a dialog the control of each credential is told about itself.
    if (own !== true || node === controls.edited) return own;
    for (const [credential, field] of dependants(name)) {
      const why = credentialReason(node, credential, field);
      if (why !== true) return why;
    }
    return true;
  }

  return {
    check,
    of: (node, name) => reason(node, name, controls.input(name).val())
  };
}
