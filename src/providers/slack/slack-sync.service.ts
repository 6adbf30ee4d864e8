import { Inject, Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { findIntegrationError, IntegrationError, type ErrorCode } from '../../errors';
import {
  callSdk,
  type ConnectionRef,
  type Extent,
  type PartitionList,
  type ProviderSync,
  type SyncContext,
  type SyncPage,
  type SyncRecord,
  type SyncResource,
} from '../../integrations';
import { slackClient } from './slack.client';
import { seesPrivateChannels, SLACK, SLACK_API_BASE_URL } from './slack.facts';
import { slackSettings } from './slack.settings';
import { channelShape, messageShape, userShape } from './slack.shapes';

/** Slack recommends at most 200: https://docs.slack.dev/apis/web-api/pagination */
const PAGE_SIZE = 200;
/** A cursor that Slack forgot twice in one run is not our page's fault. */
const MAX_RESTARTS = 1;
/** 20,000 workspaces. */
const MAX_TEAM_PAGES = 100;

/** The partition of private channels. It comes and goes with a permission of its own, so the loss of that never looks like the end of channels. */
export const PRIVATE = 'private';

const REFUSALS: ReadonlySet<ErrorCode | undefined> = new Set([
  'provider_forbidden',
  'provider_not_found',
  'provider_rejected',
  'organization_forbids',
  'missing_scope',
] as const);

/** Where a walk goes on: https://docs.slack.dev/enterprise/organization-ready-apps names the workspace in each list of an org-wide installation. */
interface Place {
  readonly team?: string;
  readonly cursor?: string;
}
/** Place, and the workspaces before it that could not be read: what is theirs is not gone. */
interface Standing extends Place {
  readonly unread?: readonly string[];
}
type List = (client: WebClient, at: Place) => Promise<ListAnswer>;

interface ListAnswer {
  readonly items: readonly { readonly id?: string }[];
  readonly next: string;
}

/**
 * Channels and users by list. Slack has no changes since a time, so an incremental run is a full one; between them events keep the records fresh.
 * Messages come by event only: their history is limited to one call a minute for many apps
 * (https://docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps).
 */
@Injectable()
export class SlackSyncService implements ProviderSync {
  readonly resources: readonly SyncResource[];
  readonly eventOnly = [{ name: 'messages', label: 'Messages', shape: messageShape }];
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, slackSettings).apiBaseUrl ?? SLACK_API_BASE_URL;
    this.resources = [
      {
        name: 'channels',
        label: 'Channels',
        shape: channelShape,
        scopes: ['channels:read'],
        partitions: ({ connection }) => Promise.resolve(channelKinds(connection)),
        full: (context) =>
          this.walk(context, (client, at) =>
            listChannels(client, at, context.partition === PRIVATE ? 'private_channel' : 'public_channel'),
          ),
      },
      { name: 'users', label: 'Members', shape: userShape, scopes: ['users:read'], full: (context) => this.walk(context, listUsers) },
    ];
  }

  private async *walk(context: SyncContext, list: List): AsyncGenerator<SyncPage, Extent, void> {
    const client = slackClient(context.fetch, this.apiBaseUrl);
    const from = standingIn(context.checkpoint);
    const teams = context.connection.metadata['isOrgWide'] === true ? await teamsOf(client) : [undefined];
    const left = teams.filter((team) => team === undefined || from.team === undefined || team >= from.team);
    // What is shared by workspaces is in the list of each: the first one tells of it.
    const seen = new Set<string>();
    const unread = [...(from.unread ?? [])];
    for (const team of left) {
      try {
        for await (const { items, next } of walkTeam(context, list, client, team === from.team ? from : { team })) {
          const fresh = items.filter(({ id }) => id !== undefined && !seen.has(id));
          if (teams.length > 1) for (const { id } of fresh) seen.add(id!);
          const checkpoint: Standing | undefined = next && { ...next, ...(unread.length > 0 && { unread: [...unread] }) };
          yield { records: fresh.flatMap(recordOf), ...(checkpoint && { checkpoint }) };
        }
      } catch (error) {
        // One workspace that may not be read keeps the others from nothing; where none may, that is the failure.
        if (team === undefined || !isOfOneTeam(error) || unread.length + 1 === teams.length) throw error;
        unread.push(`${team} (${findIntegrationError(error)?.providerCode ?? 'refused'})`);
      }
    }
    return unread.length === 0 ? { complete: true } : { complete: false, why: `These workspaces could not be read: ${unread.join(', ')}.` };
  }
}

/** A refusal, as opposed to what passes by itself or ends the access. */
function isOfOneTeam(error: unknown): boolean {
  return REFUSALS.has(findIntegrationError(error)?.code);
}

/** The pages of one workspace; `next` is where the walk goes on after it, absent after the last. */
async function* walkTeam(
  { signal }: SyncContext,
  list: List,
  client: WebClient,
  { team, cursor: from }: Place,
): AsyncGenerator<{ items: ListAnswer['items']; next?: Place }, void, void> {
  let cursor = from;
  for (let restarts = 0; ;) {
    signal.throwIfAborted();
    let answer: ListAnswer;
    try {
      answer = await list(client, { team, cursor });
    } catch (error) {
      // Cursors end; the pages that are already stored do no harm.
      if (!isLostCursor(error) || cursor === undefined || restarts++ >= MAX_RESTARTS) throw error;
      cursor = undefined;
      continue;
    }
    cursor = answer.next === '' ? undefined : answer.next;
    yield { items: answer.items, ...(cursor !== undefined && { next: { ...(team !== undefined && { team }), cursor } }) };
    // A page may be short, or empty, and still not be the last: only the cursor tells.
    if (cursor === undefined) return;
  }
}

/** The workspaces of an organization that the app is in, in a lasting order. https://docs.slack.dev/reference/methods/auth.teams.list */
async function teamsOf(client: WebClient): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined, pages = 0; pages < MAX_TEAM_PAGES; pages++) {
    const answer = await callSdk(() => client.auth.teams.list({ limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) }));
    ids.push(...listed(answer.teams).flatMap(({ id }) => id ?? []));
    cursor = answer.response_metadata?.next_cursor || undefined;
    if (cursor === undefined) return ids.sort();
  }
  throw new IntegrationError('provider_bad_answer', { provider: SLACK, detail: 'Slack’s list of workspaces has no end.' });
}

/** Private ones first: a channel that became private is then known in its new place before it is missed in the old. */
function channelKinds(connection: ConnectionRef): PartitionList {
  return seesPrivateChannels(connection)
    ? { names: [PRIVATE, ''], complete: true }
    : { names: [''], complete: false, why: 'The permission for private channels (groups:read) was not given.' };
}

async function listChannels(client: WebClient, at: Place, types: string): Promise<ListAnswer> {
  // A fresh object for each page: the SDK's own paging writes into it.
  const answer = await callSdk(() => client.conversations.list({ ...pageAt(at), types }));
  return { items: listed(answer.channels), next: answer.response_metadata?.next_cursor ?? '' };
}

async function listUsers(client: WebClient, at: Place): Promise<ListAnswer> {
  const answer = await callSdk(() => client.users.list(pageAt(at)));
  return { items: listed(answer.members), next: answer.response_metadata?.next_cursor ?? '' };
}

/** An answer without its list must not look like an empty workspace: everything would be swept. */
function listed<T>(items: readonly T[] | undefined): readonly T[] {
  if (!Array.isArray(items)) throw new IntegrationError('provider_bad_answer', { provider: SLACK });
  return items;
}

/** A channel or user as it is stored; a user who was deactivated stays, marked `deleted: true` in its data, as Slack keeps it. */
export function recordOf(item: { readonly id?: string }): SyncRecord[] {
  return item.id ? [{ id: item.id, data: item }] : [];
}

function pageAt({ team, cursor }: Place): { limit: number; team_id?: string; cursor?: string } {
  return { limit: PAGE_SIZE, ...(team !== undefined && { team_id: team }), ...(cursor !== undefined && { cursor }) };
}

function standingIn(checkpoint: unknown): Standing {
  const { team, cursor, unread } = (checkpoint ?? {}) as Readonly<Record<keyof Standing, unknown>>;
  return {
    ...(typeof team === 'string' && { team }),
    ...(typeof cursor === 'string' && { cursor }),
    ...(Array.isArray(unread) && { unread: unread.filter((each) => typeof each === 'string') }),
  };
}

function isLostCursor(error: unknown): boolean {
  return error instanceof IntegrationError && error.providerCode === 'invalid_cursor';
}
