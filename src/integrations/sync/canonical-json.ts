import { hash } from 'node:crypto';

/** Bytes kept of a record's SHA-256: no two contents meet by chance. */
export const HASH_BYTES = 16;

/** What Postgres' jsonb refuses inside a string: NUL, and half of a surrogate pair. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;

/** JSON with the keys of every object in order, so that equal content is equal text. What jsonb cannot hold becomes U+FFFD. */
export function canonicalJson(value: unknown): string {
  const text = write(value) ?? 'null';
  return UNSTORABLE.test(text) ? (write(JSON.parse(text), storable) ?? 'null') : text;
}

export function contentHash(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, HASH_BYTES);
}

/** A string that Postgres can hold. */
export function storable(text: string): string {
  // toWellFormed is in every Node from 20 on; the ES2023 types do not know it
  return (text as string & { toWellFormed(): string }).toWellFormed().replaceAll('\0', '\ufffd');
}

function write(value: unknown, clean?: (text: string) => string): string | undefined {
  if (typeof value === 'string') return JSON.stringify(clean ? clean(value) : value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, clean) ?? 'null').join(',')}]`;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return write((value as { toJSON(): unknown }).toJSON(), clean);
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const member = write((value as Record<string, unknown>)[key], clean);
    if (member !== undefined) text += `${text ? ',' : ''}${JSON.stringify(clean ? clean(key) : key)}:${member}`;
  }
  return `{${text}}`;
}
