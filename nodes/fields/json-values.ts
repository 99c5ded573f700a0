const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;

/** Counts the objects, arrays and further members in a JSON text without parsing it. */
export class JsonValues {
  count = 0;
  #inText = false;
  #escaped = false;

  addBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) this.#add(bytes[at]);
  }

  addText(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.#add(text.charCodeAt(at));
  }

  #add(code: number | undefined): void {
    if (this.#escaped) this.#escaped = false;
    else if (code === quote) this.#inText = !this.#inText;
    else if (this.#inText) this.#escaped = code === backslash;
    else if (code === comma || code === bracket || code === brace) this.count += 1;
  }
}
