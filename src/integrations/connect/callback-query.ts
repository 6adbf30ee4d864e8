import { IntegrationError } from '../../errors';

/** What a provider sends the browser back with. */
export type CallbackQuery = {
  readonly state: string;
  readonly issuer?: string;
  /** Everything that came once, the code and the state left out: some providers name the account here. */
  readonly more: Readonly<Record<string, string>>;
} & ({ readonly code: string } | { readonly error: string });

const MAX_LENGTH = 4_096;
/** RFC 6749, 4.1.2.1 allows more, but a code is a word; it goes into a log. */
const ERROR_CODE = /^[\w.-]{1,100}$/;

/**
 * Reads the query of a callback; nothing in it is believed before its state was taken.
 * @throws IntegrationError `connect_state_invalid` where a parameter comes twice (RFC 6749, 3.1), the state is missing, or there is
 * neither a code nor an error
 */
export function readCallback(query: Readonly<Record<string, unknown>>): CallbackQuery {
  const read = (name: string): string | undefined => {
    const value = query[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string' || value.length > MAX_LENGTH) throw new IntegrationError('connect_state_invalid');
    return value;
  };
  const state = read('state');
  const code = read('code');
  const error = read('error');
  const issuer = read('iss')?.replace(/\/$/, '');
  if (state === undefined || (code === undefined) === (error === undefined)) throw new IntegrationError('connect_state_invalid');
  const common = { state, more: moreOf(query), ...(issuer !== undefined && { issuer }) };
  if (code !== undefined) return { ...common, code };
  return { ...common, error: ERROR_CODE.test(error ?? '') ? (error as string) : 'unknown' };
}

function moreOf(query: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const texts = Object.entries(query).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= MAX_LENGTH,
  );
  return Object.fromEntries(texts.filter(([name]) => name !== 'code' && name !== 'state'));
}
