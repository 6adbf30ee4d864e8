import { hash } from 'node:crypto';

/** Bytes kept of a record's SHA-256: no two contents meet by chance. */
export const HASH_BYTES = 16;

/** What Postgres' jsonb refuses inside a string: NUL, and half of a surrogate pair. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;
/** Strings that JSON writes as they are. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/;

/** Records of a kind have the same few shapes: their keys are put in order and quoted once. */
interface Shape {
  readonly keys: readonly string[];
  readonly ordered: readonly { readonly key: string; readonly first: string; readonly next: string }[];
}
const shapes = new Map<string, Shape>();
/** The shape that was met last of those with this first key: most often it comes again, and then no signature is made. */
const latest = new Map<string, Shape>();
const MAX_SHAPES = 2_000;
const MAX_SHAPE_LENGTH = 2_000;

/** JSON with the keys of every object in order, so that equal content is equal text. What jsonb cannot hold becomes U+FFFD. */
export function canonicalJson(value: unknown): string {
  const text = write(value) ?? 'null';
  return text.includes('\\u') && UNSTORABLE.test(text) ? (write(cleaned(JSON.parse(text))) ?? 'null') : text;
}

/** The texts' hashes, end to end. By way of hex: a buffer for each costs more than its hash. */
export function contentHashes(texts: readonly string[]): Buffer {
  const hashes = Buffer.alloc(texts.length * HASH_BYTES);
  for (const [index, text] of texts.entries()) hashes.write(hash('sha256', text, 'hex'), index * HASH_BYTES, HASH_BYTES, 'hex');
  return hashes;
}

/** A string that Postgres can hold. */
export function storable(text: string): string {
  if (PLAIN.test(text)) return text;
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
  for (const { key, first, next } of shapeOf(value).ordered) {
    const member = write(value[key]);
    if (member !== undefined) text += text === '' ? first + member : next + member;
  }
  return `{${text}}`;
}

function shapeOf(value: Record<string, unknown>): Shape {
  const keys = Object.keys(value);
  const [firstKey = ''] = keys;
  const last = latest.get(firstKey);
  if (last && isSame(last.keys, keys)) return last;
  const signature = keys.join('\0');
  let shape = shapes.get(signature);
  if (!shape || !isSame(shape.keys, keys)) {
    const ordered = [...keys].sort().map((key) => ({ key, first: `${quoted(key)}:`, next: `,${quoted(key)}:` }));
    shape = { keys, ordered };
    // Objects whose keys are data have a new shape each: they must not fill the memory.
    if (shapes.size >= MAX_SHAPES || signature.length > MAX_SHAPE_LENGTH) return shape;
    shapes.set(signature, shape);
  }
  latest.set(firstKey, shape);
  return shape;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
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
