import { html, type Html, type News } from '../../http-api';
import { ERROR_KINDS, findIntegrationError, type ErrorCode } from '../../errors';
import { CONNECT_NEWS } from '../../integrations';
import { banner } from '../layout';
import type { AccountState, ProviderCard } from './integration-cards';

/** What a form of the cards has done; of a connection where `connection` is its id. */
export type CardNews =
  | { readonly kind: typeof CONNECT_NEWS; readonly about: { readonly success: string; readonly connection: string } }
  | { readonly kind: 'disconnect'; readonly about: { readonly connection: string; readonly revoked: 'yes' | 'no' } }
  | { readonly kind: 'policy'; readonly about: { readonly connection: string } }
  | { readonly kind: 'sync'; readonly about: { readonly connection: string; readonly run: string; readonly created: 'yes' | 'no' } }
  | { readonly kind: 'error'; readonly about: { readonly error: string } };

const DISCONNECTED = {
  yes: 'Disconnected. The access has ended at the provider as well.',
  no: 'Disconnected, and what we held is deleted. The provider did not confirm that the access has ended: to be certain, remove the app there too.',
} as const;

/** The news, as far as the state of the cards bears it out: a sync that was asked for and a connection that has ended since are no good news. */
export function newsBanner({ kind, about }: News, cards: readonly ProviderCard[]): Html | undefined {
  const [card, account] = found(cards, about['connection']);
  if (about['error'] !== undefined) return banner('bad', sentenceOf(about['error']));
  if (kind === CONNECT_NEWS && card && account?.connection.status === 'connected')
    return banner('good', `${card.provider.name} is connected.`);
  if (kind === 'disconnect' && !account) return banner('good', DISCONNECTED[about['revoked'] === 'yes' ? 'yes' : 'no']);
  if (kind === 'policy' && account) return banner('good', 'Who may use and manage it is changed.');
  if (kind === 'sync' && account) return syncBanner(about, account);
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

function syncBanner(about: News['about'], { connection, run }: AccountState): Html | undefined {
  if (connection.status !== 'connected' || run === undefined) return undefined;
  // A run that waits for its next try has failed once: the card says why, and when it goes on.
  if ((run.status === 'queued' && run.error === null) || run.status === 'running')
    return banner('good', about['created'] === 'yes' ? 'The sync has been started.' : 'A sync is under way already.');
  return run.id === about['run'] && run.status === 'succeeded' && !run.error ? banner('good', 'The sync is done.') : undefined;
}

function found(cards: readonly ProviderCard[], id: string | undefined): [ProviderCard, AccountState] | [undefined, undefined] {
  for (const card of cards) {
    const account = card.accounts.find(({ connection }) => connection.id === id);
    if (account) return [card, account];
  }
  return [undefined, undefined];
}

function sentenceOf(code: string): string {
  const kind = Object.hasOwn(ERROR_KINDS, code) ? ERROR_KINDS[code as ErrorCode] : ERROR_KINDS.connect_failed;
  return `${kind.detail} ${kind.nextStep}`;
}

/** An error on a card: what is wrong, and what to do. */
export function faultNote(fault: { readonly message: string; readonly nextStep: string }): Html {
  return html`<p class="bad">${fault.message} ${fault.nextStep}</p>`;
}
