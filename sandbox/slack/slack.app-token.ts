import { createHash, timingSafeEqual } from 'node:crypto';
import type { Json, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, type Grant } from '../token-store';
import { teamsOf } from './slack.event-context';
import { refuse } from './slack.oauth';
import { ordered, pageOf } from './slack.paging';

/** The app's own token, of no workspace. Made of the signing secret, so that a state file of before has one. */
export function appTokenOf(webhookSecret: string): string {
  return `xapp-1-${createHash('sha256').update(`app token of ${webhookSecret}`).digest('hex')}`;
}

/** `apps.event.authorizations.list`, with the app's token: https://docs.slack.dev/reference/methods/apps.event.authorizations.list */
export function eventAuthorizations(
  { headers }: SandboxRequest,
  args: Json,
  { webhookSecret, grantsOf }: { webhookSecret: string; grantsOf: (teamId: string) => readonly Grant[] },
): SandboxResponse {
  const token = bearerOf(headers);
  if (!token) return refuse('not_authed');
  if (!token.startsWith('xapp-')) return refuse('not_allowed_token_type');
  const [given, own] = [token, appTokenOf(webhookSecret)].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  if (!timingSafeEqual(given, own)) return refuse('invalid_auth');
  const teams = teamsOf(args['event_context']);
  if (!teams) return refuse('invalid_event_context');
  const authorizations = teams.flatMap((team) =>
    grantsOf(team).map(({ user, kind }) => ({
      enterprise_id: null,
      team_id: team,
      user_id: user,
      is_bot: kind === 'bot',
      is_enterprise_install: false,
    })),
  );
  const page = pageOf(
    ordered(authorizations, ({ team_id, user_id }) => `${team_id}/${user_id}`),
    args,
  );
  if (typeof page === 'string') return refuse(page);
  return { status: 200, body: { ok: true, authorizations: page.items, response_metadata: { next_cursor: page.next } } };
}
