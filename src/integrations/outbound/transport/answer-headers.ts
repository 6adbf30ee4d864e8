export type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What describes the wire, not what is handed on: the body is whole and unpacked by then. */
const OF_THE_WIRE = ['content-encoding', 'content-length', 'transfer-encoding'];

/** Headers of an answer, as they came. */
export function headersOf(raw: RawHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === 'string') headers.set(name, value);
    else for (const each of value ?? []) headers.append(name, each);
  }
  return headers;
}

/** For who reads the answer. */
export function withoutWireHeaders(headers: Headers): Headers {
  for (const name of OF_THE_WIRE) headers.delete(name);
  return headers;
}
