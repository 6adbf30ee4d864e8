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

/** What is wrong with what was filled in, by field: a sentence. */
export function fieldFaults({ ask = {}, name }: Provider, fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const wrong = Object.entries(ask).filter(
    ([field, { pattern }]) => !new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(fields[field]?.trim() ?? ''),
  );
  return Object.fromEntries(
    wrong.map(([field, { label, example }]) => [field, `${label} is needed to connect ${name}, for example ${example}.`]),
  );
}

/** @throws IntegrationError `invalid_request`, `destination_refused` */
export function filledIn(provider: Provider, fields: Readonly<Record<string, string>> = {}): FilledIn {
  const { ask = {}, name } = provider;
  const unknown = Object.keys(fields).find((field) => !Object.hasOwn(ask, field));
  if (unknown !== undefined)
    throw new IntegrationError('invalid_request', { detail: `${name} does not ask for "${unknown.slice(0, 40)}".` });
  const [fault] = Object.entries(fieldFaults(provider, fields));
  if (fault) throw new IntegrationError('invalid_request', { detail: fault[1], nextStep: `Send it as fields.${fault[0]}.` });
  const [values, secrets]: Record<string, string>[] = [{}, {}];
  for (const [field, { secret }] of Object.entries(ask)) (secret ? secrets : values)![field] = fields[field]?.trim() ?? '';
  providerFor(provider, values);
  return { values: values!, secrets: secrets! };
}
