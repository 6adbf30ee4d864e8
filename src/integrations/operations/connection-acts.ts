import { fullNameOf, type Operation } from './operation';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The targets under which the audit holds what was done to a connection or with it: itself, each operation and each kind of call through the proxy. */
export function auditTargetsOf(
  { id, provider }: { readonly id: string; readonly provider: string },
  operations: readonly Pick<Operation, 'provider' | 'name'>[],
): string[] {
  return [
    `connection:${id}`,
    ...operations.map((operation) => `${fullNameOf(operation)} connection:${id}`),
    ...METHODS.map((method) => `${provider} ${method} connection:${id}`),
  ];
}
