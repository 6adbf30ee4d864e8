import { IntegrationError } from '../../../errors';
import type { StoredToken, TokenState } from './token.repository';
const DEFAULT_REFRESH_AHEAD_MS = 60_000;

/** @throws IntegrationError where the connection may not be used: `not_connected`, `needs_reauth`, `refresh_interrupted`, `missing_scope` */
export function usableToken(state: TokenState | undefined): StoredToken {
  if (!state || state.status === 'disconnected') throw new IntegrationError('not_connected');
  if (state.status === 'needs_reauth')
    throw new IntegrationError(state.errorCode === 'refresh_interrupted' ? 'refresh_interrupted' : 'needs_reauth');
  if (!state.token)
    throw new IntegrationError('missing_scope', { detail: 'The account was connected without the kind of access that this needs.' });
  return state.token;
}

export function isExpired(token: StoredToken, now: number): boolean {
  return token.expiresAt !== undefined && now >= token.expiresAt.getTime();
}

/** Whether it is time to renew: within `refreshAheadMs` of the end, for a short-lived token not before half of its life. */
export function isDue(token: StoredToken, now: number, refreshAheadMs = DEFAULT_REFRESH_AHEAD_MS): boolean {
  if (!token.expiresAt) return false;
  const end = token.expiresAt.getTime();
  const life = Math.max(0, end - token.obtainedAt.getTime());
  return now >= end - Math.min(refreshAheadMs, life / 2);
}
