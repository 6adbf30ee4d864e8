import { z } from 'zod';
import type { At, PlainResource } from './plain-provider';

/** Some providers write ids as numbers. */
const ID = z.union([z.string(), z.number()]);
const VERSION = z.union([z.string(), z.number()]).nullish();

/** What is declared of a resource's records; else what the declaration itself relies on: the id, and the version where there is one. */
export function plainShape({ shape, id = '/id', version }: Pick<PlainResource, 'shape' | 'id' | 'version'>): z.ZodType {
  if (shape) return shape;
  const places = [...placeOf(version, VERSION), ...placeOf(id, ID)];
  return z.object(Object.fromEntries(places));
}

/** Of several places of which any may hold it nothing is promised. */
function placeOf(at: At | undefined, what: z.ZodType): [string, z.ZodType][] {
  if (typeof at !== 'string' || !at.startsWith('/')) return [];
  const [name = '', ...below] = at.split('/').slice(1);
  return [[name, below.reduceRight((inner, each) => z.object({ [each]: inner }), what)]];
}
