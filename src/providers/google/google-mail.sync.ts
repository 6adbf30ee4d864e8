import { Inject, Injectable } from '@nestjs/common';
import type { gmail_v1 } from 'googleapis/build/src/apis/gmail';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  callSdk,
  type Extent,
  type SyncContext,
  type SyncPage,
  type SyncRecord,
  type SyncResource,
  type WatchFacts,
} from '../../integrations';
import { allowed } from './google-auth.service';
import {
  FIRST_MAILS,
  mailExtent,
  MAILS_A_RUN,
  metExtent,
  olderFollow,
  olderShape,
  READ_BEFORE,
  readShape,
  type MailRead,
} from './google-mail.extent';
import { gmailClient } from './google.clients';
import { GOOGLE, googleRoots, MAIL_READ_SCOPE, MAIL_READ_SCOPES } from './google.facts';
import { googleSettings } from './google.settings';
import { mailShape } from './google.shapes';

const PAGE_SIZE = 50;
const HISTORY_PAGE_SIZE = 100;
/** Ids alone: five units, however many. */
const IDS_PAGE_SIZE = 500;
/** Mails that are asked for at once. */
const AT_ONCE = 5;
const HEADERS = ['From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID'];
/** What a person threw away, or never wanted, is gone for us too; the list leaves it out as well. */
const GONE_LABELS = ['TRASH', 'SPAM'];

/** 64 bits: a number of JavaScript would lose the last digits. */
const historyId = z.string().regex(/^\d{1,20}$/);
const cursorShape = z.object({ historyId, read: readShape.default(READ_BEFORE) });
/** Of a full run, and of the older mails of another one, whose history is read by then. */
const listCheckpoint = z.object({ historyId, read: readShape, older: olderShape.optional() });
const historyCheckpoint = z.object({ pageToken: z.string().min(1) });

/** A page of the list. */
interface ListedMails {
  readonly records: readonly SyncRecord[];
  readonly read: MailRead;
  readonly last: boolean;
}

/** Mail by its history: https://developers.google.com/workspace/gmail/api/guides/sync */
@Injectable()
export class GoogleMailSync {
  readonly messages: SyncResource;
  private readonly rootUrl: string;
  private readonly most: number;

  constructor(@Inject(SETTINGS) settings: Settings) {
    const own = providerSettings(settings, googleSettings);
    this.rootUrl = googleRoots(own).gmail;
    this.most = own.mailNewest;
    const topic = own.pubsub.topic;
    this.messages = {
      name: 'messages',
      label: 'Mail',
      shape: mailShape,
      scopes: [MAIL_READ_SCOPE],
      widerScopes: { [MAIL_READ_SCOPE]: MAIL_READ_SCOPES },
      partitions: ({ connection }) => Promise.resolve(allowed(connection, MAIL_READ_SCOPES)),
      full: (context) => this.full(context),
      incremental: (context) => this.incremental(context),
      ...(topic === undefined ? {} : { watch: this.watch(topic) }),
    };
  }

  /**
   * The newest mails. How far an earlier run went back stays as it is: what changes there is told by the history. What was deleted while
   * that was lost nobody tells any more: of a mailbox that was read before, the ids of all older mails are met as well.
   */
  private async *full(
    context: SyncContext & { readonly previous?: unknown; readonly again?: boolean },
  ): AsyncGenerator<SyncPage, Extent, void> {
    const client = gmailClient(context.fetch, this.rootUrl);
    const resumed = listCheckpoint.safeParse(context.checkpoint);
    // Asked before the first page: what comes while we read is in the history from here on.
    const start = resumed.success ? resumed.data.historyId : await this.currentHistoryId(client);
    const from = resumed.success ? resumed.data.read : { count: 0, all: false };
    if (resumed.success && resumed.data.older !== undefined) {
      yield* this.meetOlder(client, context, { historyId: start, read: from, older: resumed.data.older });
      return metExtent(furthestOf(from, context.previous), this.most);
    }
    for await (const { records, read, last } of this.list(client, from, Math.min(FIRST_MAILS, this.most) - from.count, context.signal)) {
      if (!last) {
        yield { records, checkpoint: { historyId: start, read } };
        continue;
      }
      if (read.pageToken === undefined || !context.again) {
        yield { records, cursor: { historyId: start, read }, more: olderFollow(read, this.most) };
        return mailExtent(read, this.most);
      }
      yield { records, checkpoint: { historyId: start, read, older: read.pageToken } };
      yield* this.meetOlder(client, context, { historyId: start, read, older: read.pageToken });
      return metExtent(furthestOf(read, context.previous), this.most);
    }
    throw new IntegrationError('internal_error');
  }

  /** The ids of the mails that are older than those that were read, to the end; from the newest where Gmail forgot the place. */
  private async *meetOlder(
    client: gmail_v1.Gmail,
    { signal, previous }: SyncContext & { readonly previous?: unknown },
    { historyId: start, read, older }: z.output<typeof listCheckpoint> & { readonly older: string },
  ): AsyncGenerator<SyncPage, void, void> {
    for (let at: string | undefined = older; ;) {
      signal.throwIfAborted();
      const { ids, next } = await this.idsFrom(client, at);
      if (next === undefined) {
        const furthest = furthestOf(read, previous);
        yield { records: [], met: ids, cursor: { historyId: start, read: furthest }, more: olderFollow(furthest, this.most) };
        return;
      }
      at = next;
      yield { records: [], met: ids, checkpoint: { historyId: start, read, older: next } };
    }
  }

  private async idsFrom(client: gmail_v1.Gmail, pageToken: string | undefined): Promise<{ ids: string[]; next?: string }> {
    const query = { userId: 'me', maxResults: IDS_PAGE_SIZE, ...(pageToken === undefined ? {} : { pageToken }) };
    try {
      const { data } = await callSdk(() => client.users.messages.list(query));
      return { ids: idsOf(data.messages), ...(data.nextPageToken && { next: data.nextPageToken }) };
    } catch (error) {
      if (pageToken === undefined || !(error instanceof IntegrationError && error.providerStatus === 400)) throw error;
      return this.idsFrom(client, undefined);
    }
  }

  /** What changed, then some of the older mails that were not read yet. */
  private async *incremental(context: SyncContext & { readonly cursor: unknown }): AsyncGenerator<SyncPage, Extent, void> {
    const cursor = cursorShape.safeParse(context.cursor);
    if (!cursor.success) throw new IntegrationError('sync_cursor_expired', { provider: GOOGLE });
    const client = gmailClient(context.fetch, this.rootUrl);
    const resumed = listCheckpoint.safeParse(context.checkpoint);
    const { read: known } = cursor.data;
    let from = resumed.success ? resumed.data : undefined;
    if (!from) {
      const told = yield* this.changes(client, context, cursor.data.historyId);
      if (!olderFollow(known, this.most)) {
        yield { records: told.records, cursor: { historyId: told.historyId, read: known } };
        return mailExtent(known, this.most);
      }
      from = { historyId: told.historyId, read: known };
      yield { records: told.records, checkpoint: from };
    }
    const { historyId: reached } = from;
    const left = Math.min(MAILS_A_RUN - (from.read.count - known.count), this.most - from.read.count);
    for await (const { records, read, last } of this.list(client, from.read, left, context.signal)) {
      if (!last) {
        yield { records, checkpoint: { historyId: reached, read } };
        continue;
      }
      yield { records, cursor: { historyId: reached, read }, more: olderFollow(read, this.most) };
      return mailExtent(read, this.most);
    }
    throw new IntegrationError('internal_error');
  }

  /** The pages of the history but the last one, which it gives back with where the next run begins. */
  private async *changes(
    client: gmail_v1.Gmail,
    { checkpoint, signal }: SyncContext,
    since: string,
  ): AsyncGenerator<SyncPage, { records: SyncRecord[]; historyId: string }, void> {
    const resumed = historyCheckpoint.safeParse(checkpoint);
    let pageToken = resumed.success ? resumed.data.pageToken : undefined;
    for (let first = true; ; first = false) {
      signal.throwIfAborted();
      let page: gmail_v1.Schema$ListHistoryResponse;
      try {
        const query = {
          userId: 'me',
          startHistoryId: since,
          maxResults: HISTORY_PAGE_SIZE,
          ...(pageToken === undefined ? {} : { pageToken }),
        };
        page = (await callSdk(() => client.users.history.list(query))).data;
      } catch (error) {
        if (!(error instanceof IntegrationError)) throw error;
        // The history is kept for a week or so, at times for hours only.
        if (error.code === 'provider_not_found') throw new IntegrationError('sync_cursor_expired', { provider: GOOGLE, cause: error });
        if (!first || pageToken === undefined || error.providerStatus !== 400) throw error;
        pageToken = undefined;
        continue;
      }
      // Without changes the key is absent.
      const records = await this.read(client, changedIds(page.history ?? []), signal);
      pageToken = page.nextPageToken ?? undefined;
      if (pageToken === undefined) return { records, historyId: later(since, page.historyId) };
      yield { records, checkpoint: { pageToken } };
    }
  }

  /** The list from where it was read to, newest first. @param most mails at most */
  private async *list(client: gmail_v1.Gmail, from: MailRead, most: number, signal: AbortSignal): AsyncGenerator<ListedMails, void, void> {
    let { pageToken, count } = from;
    if (pageToken === undefined) count = 0;
    for (let left = most, first = true; ; first = false) {
      signal.throwIfAborted();
      let page: gmail_v1.Schema$ListMessagesResponse;
      try {
        const query = {
          userId: 'me',
          maxResults: Math.max(1, Math.min(PAGE_SIZE, left)),
          ...(pageToken === undefined ? {} : { pageToken }),
        };
        page = (await callSdk(() => client.users.messages.list(query))).data;
      } catch (error) {
        // Where we stopped may be forgotten by now: from the newest again.
        if (!first || pageToken === undefined || !(error instanceof IntegrationError && error.providerStatus === 400)) throw error;
        pageToken = undefined;
        count = 0;
        continue;
      }
      const ids = idsOf(page.messages);
      const records = (await this.read(client, ids, signal)).filter((record) => !record.deleted);
      count += ids.length;
      left -= ids.length;
      pageToken = page.nextPageToken ?? undefined;
      const all = pageToken === undefined;
      const last = all || left <= 0;
      yield { records, read: { count, all, ...(pageToken !== undefined && { pageToken }) }, last };
      if (last) return;
    }
  }

  /** The mails as they are now; one that is gone is a deletion. */
  private async read(client: gmail_v1.Gmail, ids: readonly string[], signal: AbortSignal): Promise<SyncRecord[]> {
    const records: SyncRecord[] = [];
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      signal.throwIfAborted();
      records.push(...(await Promise.all(ids.slice(start, start + AT_ONCE).map((id) => readMail(client, id)))));
    }
    return records;
  }

  private async currentHistoryId(client: gmail_v1.Gmail): Promise<string> {
    const { data } = await callSdk(() => client.users.getProfile({ userId: 'me' }));
    const parsed = historyId.safeParse(data.historyId);
    if (!parsed.success) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
    return parsed.data;
  }

  /**
   * One watch a mailbox, told through Pub/Sub; asking again prolongs it. It is left to end by itself: stopping an old one would stop the new one too.
   * https://developers.google.com/workspace/gmail/api/guides/push
   */
  private watch(topicName: string): WatchFacts {
    return {
      renewBeforeMs: 6 * 86_400_000,
      create: async ({ fetch }) => {
        const { data } = await callSdk(() => gmailClient(fetch, this.rootUrl).users.watch({ userId: 'me', requestBody: { topicName } }));
        const expiresAt = Number(data.expiration);
        if (!Number.isFinite(expiresAt)) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
        return { remoteId: 'mailbox', expiresAt };
      },
      stop: () => Promise.resolve(),
    };
  }
}

/** How far back was read before, where that is further. */
function furthestOf(read: MailRead, previous: unknown): MailRead {
  const before = cursorShape.safeParse(previous).data?.read;
  return before && !read.all && (before.all || before.count > read.count) ? before : read;
}

async function readMail(client: gmail_v1.Gmail, id: string): Promise<SyncRecord> {
  try {
    const { data } = await callSdk(() =>
      client.users.messages.get({ userId: 'me', id, format: 'metadata', metadataHeaders: [...HEADERS] }),
    );
    if (data.id !== id) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
    return (data.labelIds ?? []).some((label) => GONE_LABELS.includes(label)) ? { id, deleted: true } : { id, data: mailData(data) };
  } catch (error) {
    if (error instanceof IntegrationError && error.code === 'provider_not_found') return { id, deleted: true };
    throw error;
  }
}

function mailData(mail: gmail_v1.Schema$Message): Record<string, unknown> {
  const headers = new Map((mail.payload?.headers ?? []).map(({ name, value }) => [(name ?? '').toLowerCase(), value ?? '']));
  const millis = Number(mail.internalDate);
  return {
    id: mail.id,
    threadId: mail.threadId,
    labelIds: mail.labelIds ?? [],
    snippet: mail.snippet ?? '',
    receivedAt: Number.isFinite(millis) ? new Date(millis).toISOString() : null,
    sizeEstimate: mail.sizeEstimate ?? null,
    headers: Object.fromEntries(
      HEADERS.flatMap((name) => (headers.has(name.toLowerCase()) ? [[name.toLowerCase(), headers.get(name.toLowerCase())]] : [])),
    ),
  };
}

function changedIds(history: readonly gmail_v1.Schema$History[]): string[] {
  const changes = history.flatMap((entry) => [
    ...(entry.messagesAdded ?? []),
    ...(entry.messagesDeleted ?? []),
    ...(entry.labelsAdded ?? []),
    ...(entry.labelsRemoved ?? []),
  ]);
  return [...new Set(changes.flatMap(({ message }) => (message?.id ? [message.id] : [])))];
}

function idsOf(messages: readonly gmail_v1.Schema$Message[] | undefined): string[] {
  return (messages ?? []).flatMap(({ id }) => (id ? [id] : []));
}

/** The cursor never goes back, whatever order answers come in. */
function later(known: string, told: string | null | undefined): string {
  const parsed = historyId.safeParse(told);
  return parsed.success && BigInt(parsed.data) > BigInt(known) ? parsed.data : known;
}
