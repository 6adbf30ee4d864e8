import { z } from 'zod';
import type { OperationView } from './operation-view';

const jsonSchema = z.record(z.string(), z.unknown());

export const operationAnswer = z.object({
  name: z.string(),
  provider: z.string(),
  title: z.string(),
  description: z.string(),
  effect: z.enum(['read', 'write', 'destructive']),
  scopes: z.array(z.string()),
  input: jsonSchema.describe('JSON Schema (2020-12) of the body that is sent.'),
  output: jsonSchema.describe('JSON Schema of the answer.'),
  available: z.boolean(),
  missingScopes: z.array(z.string()),
}) satisfies z.ZodType<OperationView>;
