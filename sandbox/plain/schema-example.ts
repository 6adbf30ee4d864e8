import type { Json } from './pointed';

interface Schema {
  readonly type?: string | readonly string[];
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** A value that a JSON Schema takes, optional fields as well; a pattern needs an example of its own. */
export function exampleOfSchema(schema: Schema, name = 'value'): unknown {
  if (schema.examples) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  if ('const' in schema) return schema.const;
  if (schema.anyOf?.[0]) return exampleOfSchema(schema.anyOf[0], name);
  switch ([schema.type].flat()[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([field, each]) => [field, exampleOfSchema(each, field)]),
      ) as Json;
    case 'array':
      return [exampleOfSchema(schema.items ?? {}, name)];
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, (schema.exclusiveMinimum ?? 0) + 1);
    case 'boolean':
      return true;
    default:
      return schema.format === 'email' ? 'ada@example.com' : schema.format === 'uri' ? 'https://example.com/' : name;
  }
}
