export type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What describes the wire, not what is handed on: the body is whole and unpacked by then. */
const OF_THE_WIRE = new Set(['content-encoding', 'content-length', 'transfer-encoding']);

/** Headers of an answer as they came, their names in lower case. A platform's `Headers` of them costs more than all looks into them together. */
export class WireHeaders {
  constructor(private readonly raw: RawHeaders) {}

  /** `name` in lower case. */
  get(name: string): string | null {
    const value = this.raw[name];
    if (value === undefined) return null;
    return typeof value === 'string' ? value : value.join(', ');
  }

  names(): string[] {
    return Object.keys(this.raw);
  }

  /** For who reads the answer: without those of the wire. A new one each time, since its owner may change it. */
  toHeaders(): Headers {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.raw)) {
      if (value === undefined || OF_THE_WIRE.has(name)) continue;
      if (typeof value === 'string') headers.set(name, value);
      else for (const each of value) headers.append(name, each);
    }
    return headers;
  }
}
