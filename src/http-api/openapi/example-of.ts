/** A schema as the description has it: of OpenAPI 3.0. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
}

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^(id|.*Id)$/, '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6'],
  [/url$/i, 'https://product.example/hooks'],
  [/returnTo/, 'https://product.example/settings'],
  [/origin/i, 'https://product.example'],
  [/email|^to$|^cc$/i, 'ada@example.com'],
  [/^provider$/, 'acme'],
  [/^tenant$/, 'acme-inc'],
  [/^(cursor|nextCursor)$/, 'eyJpZCI6IjAxOTJmMGMxIn0'],
  [/^name$/i, 'Acme'],
];
const MOST_DEPTH = 8;

/** A value that the schema takes, the same each time. @param name of the field, which says what it is about */
export function exampleOf(schema: Schema, name = '', depth = 0): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice) return exampleOf(choice, name, depth);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => exampleOf(part, name, depth))) as unknown;
  if (schema.default !== undefined && schema.default !== null && typeof schema.default !== 'object') return schema.default;
  switch (schema.type) {
    case 'object':
      return objectOf(schema, depth);
    case 'array':
      return depth < MOST_DEPTH && schema.items ? [exampleOf(schema.items, name, depth + 1)] : [];
    case 'string':
      return textOf(schema, name);
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, Math.min(1, schema.maximum ?? 1));
    case 'boolean':
      return true;
    default:
      return schema.properties ? objectOf(schema, depth) : {};
  }
}

function objectOf({ properties, additionalProperties, required = [] }: Schema, depth: number): Record<string, unknown> {
  const fields = Object.entries(properties ?? {}).filter(([name]) => depth < MOST_DEPTH || required.includes(name));
  const known = fields.map(([name, field]) => [name, exampleOf(field, name, depth + 1)] as const);
  if (fields.length > 0 || typeof additionalProperties !== 'object') return Object.fromEntries(known);
  return Object.keys(additionalProperties).length > 0 ? { 'data.provider': exampleOf(additionalProperties, 'value', depth + 1) } : {};
}

function textOf({ format, pattern, minLength = 0 }: Schema, name: string): string {
  if (format === 'uuid') return '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6';
  if (format === 'date-time') return '2026-03-01T10:00:00Z';
  if (format === 'uri') return 'https://product.example/hooks';
  if (format === 'email') return 'ada@example.com';
  if (format === 'byte') return 'SGVsbG8=';
  const usual = TEXTS.find(([names]) => names.test(name))?.[1] ?? 'text';
  const takes = (text: string) => (pattern === undefined || new RegExp(pattern, 'u').test(text)) && text.length >= minLength;
  if (takes(usual)) return usual;
  return pattern === undefined ? usual.padEnd(minLength, '.') : textFor(pattern);
}

/** One text that a plain pattern takes: literals, classes, groups and how often, each once, or as seldom as it may be. */
function textFor(pattern: string): string {
  const first = (alternativesOf(pattern)[0] ?? '').replace(/^\^|\$$/g, '');
  const PART = /\[((?:\\.|[^\]])+)\]|\\(.)|\((?:\?:)?((?:\\.|[^()])*)\)|([^[\]\\()])/y;
  const HOW_OFTEN = /\{(\d+)(?:,\d*)?\}|[+*?]/y;
  let text = '';
  for (let at = 0; at < first.length;) {
    PART.lastIndex = at;
    const part = PART.exec(first);
    if (!part) return text;
    at = PART.lastIndex;
    const [, members, escaped, group, literal] = part;
    HOW_OFTEN.lastIndex = at;
    const times = HOW_OFTEN.exec(first);
    if (times) at = HOW_OFTEN.lastIndex;
    const one =
      members !== undefined
        ? memberOf(members)
        : group !== undefined
          ? textFor(group)
          : escaped !== undefined
            ? escapedOf(escaped)
            : literal;
    text += (one ?? '').repeat(times?.[0] === '?' ? 0 : Math.max(1, Number(times?.[1] ?? 1)));
  }
  return text;
}

function alternativesOf(pattern: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const piece of pattern.match(/\\.|\[(?:\\.|[^\]])*\]|[^]/g) ?? []) {
    if (piece === '(') depth++;
    if (piece === ')') depth--;
    if (piece === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += piece;
  }
  return parts;
}

function memberOf(members: string): string {
  if (members.startsWith('^')) return 'a';
  return members.startsWith('\\') ? escapedOf(members.charAt(1)) : members.charAt(0);
}

function escapedOf(letter: string): string {
  return { d: '1', w: 'a', s: ' ', S: 'a', D: 'a', W: '-' }[letter] ?? letter;
}
