import { errorIn, type Html, type News } from '../../http-api';
import { ERROR_KINDS, findIntegrationError, type ErrorCode } from '../../errors';
import { CONNECT_NEWS } from '../../integrations';
import type { Language } from '../../languages';
import { banner } from '../layout';
import type { AccountState, ProviderCard } from './integration-cards';

/** What a form of the cards has done; of a connection where `connection` is its id. */
export type CardNews =
  | { readonly kind: typeof CONNECT_NEWS; readonly about: { readonly success: string; readonly connection: string } }
  | {
      readonly kind: 'disconnect';
      readonly about: { readonly connection: string; readonly revoked: 'yes' | 'no'; readonly data: 'keep' | 'purge' };
    }
  | { readonly kind: 'policy'; readonly about: { readonly connection: string } }
  | { readonly kind: 'sync'; readonly about: { readonly connection: string; readonly run: string; readonly created: 'yes' | 'no' } }
  | { readonly kind: 'error'; readonly about: { readonly error: string } };

/** By whether what was synced is deleted, and whether the provider confirmed the end. */
const DISCONNECTED = {
  keep: { yes: 'news.revoked', no: 'news.notRevoked' },
  purge: { yes: 'news.purged', no: 'news.purgedNotRevoked' },
} as const;

/** The news, as far as the state of the cards bears it out: a sync that was asked for and a connection that has ended since are no good news. */
export function newsBanner({ kind, about }: News, cards: readonly ProviderCard[], language: Language): Html | undefined {
  const [card, account] = found(cards, about['connection']);
  const good = (...said: Parameters<Language['say']>) => banner('good', language.say(...said));
  if (about['error'] !== undefined) return banner('bad', sentenceOf(about['error'], language));
  if (kind === CONNECT_NEWS && card && account?.connection.status === 'connected')
    return good('news.connected', { provider: card.provider.name });
  if (kind === 'disconnect' && !account)
    return good(DISCONNECTED[about['data'] === 'purge' ? 'purge' : 'keep'][about['revoked'] === 'yes' ? 'yes' : 'no']);
  if (kind === 'policy' && account) return good('news.policy');
  if (kind === 'sync' && account) return syncBanner(about, account, language);
  return undefined;
}

/** These have a page of their own; everything else is told on the cards. */
const OWN_PAGE: ReadonlySet<ErrorCode> = new Set(['connection_not_found', 'provider_unknown', 'internal_error', 'storage_unavailable']);

/** A failure as the cards tell it. @throws the failure, where it has a page of its own */
export function toldOnTheCards(error: unknown): CardNews {
  const known = findIntegrationError(error);
  if (!known || OWN_PAGE.has(known.code)) throw error;
  return { kind: 'error', about: { error: known.code } };
}

function syncBanner(about: News['about'], { connection, run }: AccountState, language: Language): Html | undefined {
  if (connection.status !== 'connected' || run === undefined) return undefined;
  // Where a try has failed, the card says why, and when it goes on.
  if ((run.status === 'queued' || run.status === 'running') && run.error === null)
    return banner('good', language.say(about['created'] === 'yes' ? 'news.syncStarted' : 'news.syncUnderWay'));
  return run.id === about['run'] && run.status === 'succeeded' && !run.error ? banner('good', language.say('news.syncDone')) : undefined;
}

function found(cards: readonly ProviderCard[], id: string | undefined): [ProviderCard, AccountState] | [undefined, undefined] {
  for (const card of cards) {
    const account = card.accounts.find(({ connection }) => connection.id === id);
    if (account) return [card, account];
  }
  return [undefined, undefined];
}

function sentenceOf(text: string, language: Language): string {
  const code = Object.hasOwn(ERROR_KINDS, text) ? (text as ErrorCode) : 'connect_failed';
  const { detail, nextStep } = errorIn(language, { code, ...ERROR_KINDS[code] });
  return `${detail} ${nextStep}`;
}
