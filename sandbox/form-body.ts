import type { Json } from './sandbox.types';

/** `a=1&b=2` → `{ a: '1', b: '2' }`; a repeated field keeps its last value. */
export function parseFlatForm(raw: string): Json {
  return Object.fromEntries(new URLSearchParams(raw));
}

/** Stripe's brackets: `items[0][price]=p&expand[]=a` → `{ items: [{ price: 'p' }], expand: ['a'] }`. */
export function parseNestedForm(raw: string): Json {
  const root: Json = Object.create(null) as Json;
  for (const [name, value] of new URLSearchParams(raw)) {
    const path = name.replaceAll(']', '').split('[');
    if (path.some((part) => part === '__proto__')) continue;
    let node: Json = root;
    path.forEach((part, index) => {
      const key = part === '' ? String(Object.keys(node).length) : part;
      if (index === path.length - 1) node[key] = value;
      else node = (node[key] ??= Object.create(null) as Json) as Json;
    });
  }
  return arraysOf(root) as Json;
}

function arraysOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length > 0 && entries.every(([key], index) => key === String(index))) return entries.map(([, item]) => arraysOf(item));
  return Object.fromEntries(entries.map(([key, item]) => [key, arraysOf(item)]));
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function flag(value: unknown): boolean {
  return value === true || value === 'true' || value === '1';
}

export function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
