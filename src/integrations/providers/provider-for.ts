import { IntegrationError } from '../../errors';
import type { Provider } from '../contract';

type Values = Readonly<Record<string, unknown>>;

/** The provider as it is for what was asked, learnt or kept with a connection. */
export function providerFor(provider: Provider, values: Values = {}): Provider {
  return provider.resolve?.(values) ?? provider;
}

/** What a person filled in, apart: what is kept readable, and what is a secret. */
export interface FilledIn {
  readonly values: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** @throws IntegrationError `invalid_request`, `destination_refused` */
export function filledIn(provider: Provider, fields: Readonly<Record<string, string>> = {}): FilledIn {
  const { ask = {}, name } = provider;
  const unknown = Object.keys(fields).find((field) => !Object.hasOwn(ask, field));
  if (unknown !== undefined)
    throw new IntegrationError('invalid_request', { detail: `${name} does not ask for "${unknown.slice(0, 40)}".` });
  const [values, secrets]: Record<string, string>[] = [{}, {}];
  for (const [field, { label, pattern, example, secret }] of Object.entries(ask)) {
    const value = fields[field]?.trim() ?? '';
    if (!new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(value))
      throw new IntegrationError('invalid_request', {
        detail: `${label} is needed to connect ${name}, for example ${example}.`,
        nextStep: `Send it as fields.${field}.`,
      });
    (secret ? secrets : values)![field] = value;
  }
  providerFor(provider, values);
  return { values: values!, secrets: secrets! };
}
