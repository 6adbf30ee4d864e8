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
import { gmailClient } from './google.clients';
import { GOOGLE, googleRoots, MAIL_READ_SCOPE, MAIL_READ_SCOPES } from './google.facts';
import { googleSettings } from './google.settings';

/** A full run reads the newest mails only: one costs 20 of the 6,000 units that a person has in a minute. */
export const FULL_MAILS = 200;
const PAGE_SIZE = 50;
const HISTORY_PAGE_SIZE = 100;
/** Mails that are asked for at once. */
const AT_ONCE = 5;
const HEADERS = ['From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID'];
/** What a person threw away, or never wanted, is gone for us too; the list leaves it out as well. */
const GONE_LABELS = ['TRASH', 'SPAM'];

/** 64 bits: a number of JavaScript would lose the last digits. */
const historyId = z.string().regex(/^\d{1,20}$/);
const cursorShape = z.object({ historyId });
const fullCheckpoint = z.object({ historyId, pageToken: z.string().min(1), read: z.number() });
const historyCheckpoint = z.object({ pageToken: z.string().min(1) });

/** Mail by its history: https://developers.google.com/workspace/gmail/api/guides/sync */
@Injectable()
export class GoogleMailSync {
  readonly messages: SyncResource;
  private readonly rootUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    const own = providerSettings(settings, googleSettings);
    this.rootUrl = googleRoots(own).gmail;
    const topic = own.pubsub.topic;
    this.messages = {
      name: 'messages',
      label: 'Mail',
      scopes: [MAIL_READ_SCOPE],
      widerScopes: { [MAIL_READ_SCOPE]: MAIL_READ_SCOPES },
      partitions: ({ connection }) => Promise.resolve(allowed(connection, MAIL_READ_SCOPES)),
      full: (context) => this.full(context),
      incremental: (context) => this.incremental(context),
      ...(topic === undefined ? {} : { watch: this.watch(topic) }),
    };
  }

  private async *full(context: SyncContext): AsyncGenerator<SyncPage, Extent, void> {
    const client = gmailClient(context.fetch, this.rootUrl);
    const resumed = fullCheckpoint.safeParse(context.checkpoint);
    // Asked before the first page: what comes while we read is in the history from here on.
    const start = resumed.success ? resumed.data.historyId : await this.currentHistoryId(client);
    let pageToken = resumed.success ? resumed.data.pageToken : undefined;
    let read = resumed.success ? resumed.data.read : 0;
    for (let first = true; ; first = false) {
      context.signal.throwIfAborted();
      let page: gmail_v1.Schema$ListMessagesResponse;
      try {
        page = (
          await callSdk(() =>
            client.users.messages.list({
              userId: 'me',
              maxResults: Math.min(PAGE_SIZE, FULL_MAILS - read),
              ...(pageToken === undefined ? {} : { pageToken }),
            }),
          )
        ).data;
      } catch (error) {
        if (!first || pageToken === undefined || !(error instanceof IntegrationError && error.providerStatus === 400)) throw error;
        pageToken = undefined;
        read = 0;
        continue;
      }
      const ids = idsOf(page.messages);
      const records = (await this.read(client, ids, context.signal)).filter((record) => !record.deleted);
      read += ids.length;
      pageToken = page.nextPageToken ?? undefined;
      if (pageToken === undefined || read >= FULL_MAILS) {
        yield { records, cursor: { historyId: start } };
        return pageToken === undefined
          ? { complete: true }
          : { complete: false, why: `Holds the newest ${FULL_MAILS} mails and what came since.` };
      }
      yield { records, checkpoint: { historyId: start, pageToken, read } };
    }
  }

  private async *incremental(context: SyncContext & { readonly cursor: unknown }): AsyncIterable<SyncPage> {
    const cursor = cursorShape.safeParse(context.cursor);
    if (!cursor.success) throw new IntegrationError('sync_cursor_expired', { provider: GOOGLE });
    const client = gmailClient(context.fetch, this.rootUrl);
    const resumed = historyCheckpoint.safeParse(context.checkpoint);
    let pageToken = resumed.success ? resumed.data.pageToken : undefined;
    for (let first = true; ; first = false) {
      context.signal.throwIfAborted();
      let page: gmail_v1.Schema$ListHistoryResponse;
      try {
        page = (
          await callSdk(() =>
            client.users.history.list({
              userId: 'me',
              startHistoryId: cursor.data.historyId,
              maxResults: HISTORY_PAGE_SIZE,
              ...(pageToken === undefined ? {} : { pageToken }),
            }),
          )
        ).data;
      } catch (error) {
        if (!(error instanceof IntegrationError)) throw error;
        // The history is kept for a week or so, at times for hours only.
        if (error.code === 'provider_not_found') throw new IntegrationError('sync_cursor_expired', { provider: GOOGLE, cause: error });
        if (!first || pageToken === undefined || error.providerStatus !== 400) throw error;
        pageToken = undefined;
        continue;
      }
      // Without changes the key is absent.
      const records = await this.read(client, changedIds(page.history ?? []), context.signal);
      pageToken = page.nextPageToken ?? undefined;
      if (pageToken === undefined) {
        yield { records, cursor: { historyId: later(cursor.data.historyId, page.historyId) } };
        return;
      }
      yield { records, checkpoint: { pageToken } };
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
