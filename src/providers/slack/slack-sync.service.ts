import { Inject, Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
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
import { SLACK, SLACK_API_BASE_URL } from './slack.facts';
import { slackSettings } from './slack.settings';

/** Slack recommends at most 200: https://docs.slack.dev/apis/web-api/pagination */
const PAGE_SIZE = 200;
/** A cursor that Slack forgot twice in one run is not our page's fault. */
const MAX_RESTARTS = 1;

/** The partition of private channels. It comes and goes with a permission of its own, so the loss of that never looks like the end of channels. */
export const PRIVATE = 'private';

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
  readonly eventOnly = ['messages'];
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, slackSettings).apiBaseUrl ?? SLACK_API_BASE_URL;
    this.resources = [
      {
        name: 'channels',
        label: 'Channels',
        scopes: ['channels:read'],
        partitions: ({ connection }) => Promise.resolve(channelKinds(connection)),
        full: (context) =>
          this.walk(context, (client, cursor) =>
            listChannels(client, cursor, context.partition === PRIVATE ? 'private_channel' : 'public_channel'),
          ),
      },
      { name: 'users', label: 'Members', scopes: ['users:read'], full: (context) => this.walk(context, listUsers) },
    ];
  }

  private async *walk(
    context: SyncContext,
    list: (client: WebClient, cursor: string | undefined) => Promise<ListAnswer>,
  ): AsyncGenerator<SyncPage, Extent, void> {
    const client = slackClient(context.fetch, this.apiBaseUrl);
    let cursor = cursorOf(context.checkpoint);
    for (let restarts = 0; ;) {
      context.signal.throwIfAborted();
      let answer: ListAnswer;
      try {
        answer = await list(client, cursor);
      } catch (error) {
        // Cursors end; the pages that are already stored do no harm.
        if (!isLostCursor(error) || cursor === undefined || restarts++ >= MAX_RESTARTS) throw error;
        cursor = undefined;
        continue;
      }
      cursor = answer.next === '' ? undefined : answer.next;
      yield { records: answer.items.flatMap(recordOf), ...(cursor === undefined ? {} : { checkpoint: { cursor } }) };
      // A page may be short, or empty, and still not be the last: only the cursor tells.
      if (cursor === undefined) return { complete: true };
    }
  }
}

/** Private ones first: a channel that became private is then known in its new place before it is missed in the old. */
function channelKinds({ metadata }: ConnectionRef): PartitionList {
  const scopes = metadata['scopes'];
  return Array.isArray(scopes) && scopes.includes('groups:read')
    ? { names: [PRIVATE, ''], complete: true }
    : { names: [''], complete: false, why: 'The permission for private channels (groups:read) was not given.' };
}

async function listChannels(client: WebClient, cursor: string | undefined, types: string): Promise<ListAnswer> {
  // A fresh object for each page: the SDK's own paging writes into it.
  const answer = await callSdk(() => client.conversations.list({ limit: PAGE_SIZE, types, ...(cursor === undefined ? {} : { cursor }) }));
  return { items: listed(answer.channels), next: answer.response_metadata?.next_cursor ?? '' };
}

async function listUsers(client: WebClient, cursor: string | undefined): Promise<ListAnswer> {
  const answer = await callSdk(() => client.users.list({ limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) }));
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

function cursorOf(checkpoint: unknown): string | undefined {
  const cursor = (checkpoint as { cursor?: unknown } | undefined | null)?.cursor;
  return typeof cursor === 'string' ? cursor : undefined;
}

function isLostCursor(error: unknown): boolean {
  return error instanceof IntegrationError && error.providerCode === 'invalid_cursor';
}
