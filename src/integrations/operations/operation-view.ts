import { z } from 'zod';
import type { Connection } from '../connections';
import { missingScopesOf } from '../providers';
import type { Operation } from './operation';

type JsonSchema = Readonly<Record<string, unknown>>;

/** An operation as the catalogue shows it. */
export interface OperationView {
  readonly name: string;
  readonly provider: string;
  readonly title: string;
  readonly description: string;
  readonly effect: Operation['effect'];
  readonly scopes: readonly string[];
  /** JSON Schema (2020-12) of the body that is sent. */
  readonly input: JsonSchema;
  /** JSON Schema of the answer. */
  readonly output: JsonSchema;
  /** Whether it can be run now: the provider is configured, or the connection stands and has the scopes. */
  readonly available: boolean;
  readonly missingScopes: readonly string[];
}

export function operationView(operation: Operation, configured: boolean): OperationView {
  const { name, provider, title, description, effect, scopes } = operation;
  return { name, provider, title, description, effect, scopes, ...schemasOf(operation), available: configured, missingScopes: [] };
}

export function operationOfConnection(operation: Operation, connection: Connection): OperationView {
  const missingScopes = missingScopesOf(operation, connection);
  return { ...operationView(operation, connection.status === 'connected' && missingScopes.length === 0), missingScopes };
}

const made = new WeakMap<Operation, Pick<OperationView, 'input' | 'output'>>();

function schemasOf(operation: Operation): Pick<OperationView, 'input' | 'output'> {
  let schemas = made.get(operation);
  if (!schemas) {
    schemas = {
      input: z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }),
      output: z.toJSONSchema(operation.output, { io: 'output', unrepresentable: 'any' }),
    };
    made.set(operation, schemas);
  }
  return schemas;
}
