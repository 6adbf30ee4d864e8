import { hash } from 'node:crypto';

/** Bytes kept of a record's SHA-256: no two contents meet by chance. */
export const HASH_BYTES = 16;

/** What Postgres' jsonb refuses inside a string: NUL, and half of a surrogate pair. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;
/** Strings that JSON writes as they are. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/;

/** Records of a kind have the same few shapes: their keys are put in order and quoted once. */
const shapes = new Map<string, readonly (readonly [key: string, quoted: string])[]>();
const MAX_SHAPES = 2_000;
const MAX_SHAPE_LENGTH = 2_000;

/** JSON with the keys of every object in order, so that equal content is equal text. What jsonb cannot hold becomes U+FFFD. */
export function canonicalJson(value: unknown): string {
  const text = write(value) ?? 'null';
  return text.includes('\\u') && UNSTORABLE.test(text) ? (write(cleaned(JSON.parse(text))) ?? 'null') : text;
}

/** The texts' hashes, end to end. As hex until the end: a buffer for each costs more than its hash. */
export function contentHashes(texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => hash('sha256', text, 'hex').slice(0, 2 * HASH_BYTES)).join(''), 'hex');
}

/** A string that Postgres can hold. */
export function storable(text: string): string {
  // toWellFormed is in every Node from 20 on; the ES2023 types do not know it
  return (text as string & { toWellFormed(): string }).toWellFormed().replaceAll('\0', '\ufffd');
}

function write(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? 'null').join(',')}]`;
      if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return write((value as { toJSON(): unknown }).toJSON());
      return writeObject(value as Record<string, unknown>);
    default:
      return JSON.stringify(value);
  }
}

function writeObject(value: Record<string, unknown>): string {
  let text = '';
  for (const [key, name] of shapeOf(value)) {
    const member = write(value[key]);
    if (member !== undefined) text += text === '' ? `${name}:${member}` : `,${name}:${member}`;
  }
  return `{${text}}`;
}

function shapeOf(value: Record<string, unknown>): readonly (readonly [string, string])[] {
  const keys = Object.keys(value);
  const signature = keys.join('\0');
  const known = shapes.get(signature);
  // No key of a remembered shape has a NUL, so of all with this signature it alone has this many keys.
  if (known?.length === keys.length) return known;
  const shape = keys.sort().map((key) => [key, quoted(key)] as const);
  // Objects whose keys are data have a new shape each: they must not fill the memory.
  if (shapes.size < MAX_SHAPES && signature.length <= MAX_SHAPE_LENGTH && !keys.some((key) => key.includes('\0')))
    shapes.set(signature, shape);
  return shape;
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cleaned);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [storable(key), cleaned(member)]));
}
