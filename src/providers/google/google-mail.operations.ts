import { Inject, Injectable } from '@nestjs/common';
import type { gmail_v1 } from 'googleapis/build/src/apis/gmail';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { callSdk, defineOperation, GovernedHttp, type ConnectionRef } from '../../integrations';
import { gmailClient } from './google.clients';
import { sendEmailBody } from './google-mail.composer';
import { GOOGLE, googleRoots, MAIL_READ_SCOPE, MAIL_READ_SCOPES, MAIL_SEND_SCOPE, MAIL_SEND_SCOPES } from './google.facts';
import { GoogleService } from './google.service';

const HEADERS = ['From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID'];
/** What reads. */
const READS = {
  provider: GOOGLE,
  effect: 'read',
  repeat: 'none',
  scopes: [MAIL_READ_SCOPE],
  widerScopes: { [MAIL_READ_SCOPE]: MAIL_READ_SCOPES },
} as const;

/** What can be done with mail. https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages */
@Injectable()
export class GoogleMailOperations {
  private readonly rootUrl: string;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly google: GoogleService,
    private readonly http: GovernedHttp,
  ) {
    this.rootUrl = googleRoots(settings.providers[GOOGLE] ?? { webhookSecrets: [] }).gmail;
  }

  /** Gmail takes no idempotency key: one of doubtful outcome is looked for by its Message-ID, and stays unknown if not found. */
  readonly sendEmail = defineOperation({
    name: 'emails.send',
    provider: GOOGLE,
    title: 'Send an e-mail',
    description:
      'Sends an e-mail from the connected account, with attachments of at most 25 MB together; with replyTo it answers in a thread, which needs the same subject.',
    input: sendEmailBody,
    output: z.object({ messageId: z.string(), threadId: z.string() }),
    effect: 'write',
    makes: true,
    scopes: [MAIL_SEND_SCOPE],
    widerScopes: { [MAIL_SEND_SCOPE]: MAIL_SEND_SCOPES },
    repeat: 'searchable',
    run: ({ connection, input, operationId }) => this.google.sendEmail(connection, input, operationId),
    find: (connection, operationId, signal) => this.google.findSentEmail(connection, operationId, signal),
  });

  readonly searchEmails = defineOperation({
    ...READS,
    name: 'emails.search',
    title: 'Search mail',
    description: 'Ids of the messages that a search as in Gmail finds, newest first; emails.get reads one.',
    input: z.strictObject({
      query: z.string().max(1_000).describe('As in Gmail’s search box, e.g. from:ada subject:invoice.'),
      limit: z.coerce.number().int().min(1).max(500).default(100),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: z.object({ data: z.array(z.object({ messageId: z.string(), threadId: z.string() })), nextCursor: z.string().nullable() }),
    run: async ({ connection, input: { query, limit, cursor } }) => {
      const client = this.client(connection, 'google.emails.search');
      const page = cursor === undefined ? {} : { pageToken: cursor };
      const { data } = await callSdk(() => client.users.messages.list({ userId: 'me', q: query, maxResults: limit, ...page }));
      const found = (data.messages ?? []).flatMap(({ id, threadId }) => (id && threadId ? [{ messageId: id, threadId }] : []));
      return { data: found, nextCursor: data.nextPageToken ?? null };
    },
  });

  readonly getEmail = defineOperation({
    ...READS,
    name: 'emails.get',
    title: 'Read a message',
    description: 'Who wrote what to whom and when, with the beginning of the text; no attachments.',
    input: z.strictObject({ messageId: z.string().regex(/^[\w-]{1,64}$/, 'must be the id of a message') }),
    output: z.object({
      messageId: z.string(),
      threadId: z.string(),
      labels: z.array(z.string()),
      headers: z.record(z.string(), z.string()).describe('From, To, Cc, Subject, Date, Message-ID; names in lower case.'),
      snippet: z.string(),
      receivedAt: z.string().nullable().describe('ISO 8601.'),
    }),
    run: async ({ connection, input: { messageId } }) => {
      const client = this.client(connection, 'google.emails.get');
      const { data } = await callSdk(() =>
        client.users.messages.get({ userId: 'me', id: messageId, format: 'metadata', metadataHeaders: HEADERS }),
      );
      if (!data.id || !data.threadId) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
      const headers = (data.payload?.headers ?? []).map(({ name, value }) => [(name ?? '').toLowerCase(), value ?? '']);
      const at = Number(data.internalDate);
      return {
        messageId: data.id,
        threadId: data.threadId,
        labels: data.labelIds ?? [],
        headers: Object.fromEntries(headers) as Record<string, string>,
        snippet: data.snippet ?? '',
        receivedAt: at > 0 ? new Date(at).toISOString() : null,
      };
    },
  });

  readonly all = [this.sendEmail, this.searchEmails, this.getEmail];

  private client(connection: ConnectionRef, operation: string): gmail_v1.Gmail {
    return gmailClient(this.http.fetchFor(connection, { operation }), this.rootUrl);
  }
}
