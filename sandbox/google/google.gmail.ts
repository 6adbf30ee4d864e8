import { text } from '../form-body';
import { pageFrom } from '../paging';
import { hashPrefix } from '../random';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import type { Authorized } from './google.calendar';
import { badRequest, GoogleFault, notFound } from './google.errors';
import type { GoogleAccount, HistoryEntry, MailMessage } from './google.state';
import type { GoogleWorld } from './google.world';
import { type ParsedMail, parseMail, valueOf } from './mail-parser';

const AUTH = 'https://www.googleapis.com/auth/';
const FULL = 'https://mail.google.com/';
const READ = [FULL, `${AUTH}gmail.readonly`, `${AUTH}gmail.modify`, `${AUTH}gmail.metadata`];
const SEND = [FULL, `${AUTH}gmail.send`, `${AUTH}gmail.compose`, `${AUTH}gmail.modify`];
const MODIFY = [FULL, `${AUTH}gmail.modify`];
const PROFILE = [...READ, `${AUTH}gmail.compose`];
const WATCH_MS = 7 * 86_400_000;
const LIST_KEYS = {
  messageAdded: 'messagesAdded',
  messageDeleted: 'messagesDeleted',
  labelAdded: 'labelsAdded',
  labelRemoved: 'labelsRemoved',
} as const;

/** Gmail API v1: https://developers.google.com/workspace/gmail/api/reference/rest */
export class GoogleGmailApi {
  constructor(
    private readonly world: GoogleWorld,
    private readonly authorized: Authorized,
  ) {}

  routes(): Route[] {
    const base = '/gmail/v1/users/:user';
    return [
      this.route('GET', `${base}/profile`, 'gmail.users.getProfile', PROFILE, (account) => this.profile(account)),
      this.route('POST', `${base}/messages/send`, 'gmail.messages.send', SEND, (account, request) => this.send(account, request)),
      this.route('POST', `/upload${base}/messages/send`, 'gmail.messages.send', SEND, (account, request) => this.send(account, request)),
      this.route('GET', `${base}/messages`, 'gmail.messages.list', READ, (account, request) => this.list(account, request)),
      this.route('GET', `${base}/messages/:id`, 'gmail.messages.get', READ, (account, request) => this.get(account, request)),
      this.route('POST', `${base}/messages/:id/trash`, 'gmail.messages.trash', MODIFY, (account, request) => this.trash(account, request)),
      this.route('DELETE', `${base}/messages/:id`, 'gmail.messages.delete', [FULL], (account, request) => this.remove(account, request)),
      this.route('GET', `${base}/history`, 'gmail.history.list', READ, (account, request) => this.history(account, request)),
      this.route('POST', `${base}/watch`, 'gmail.users.watch', READ, (account, request) => this.watch(account, request)),
      this.route('POST', `${base}/stop`, 'gmail.users.stop', READ, (account) => this.stop(account)),
    ];
  }

  private route(
    method: string,
    pattern: string,
    endpoint: string,
    scopes: string[],
    run: (account: GoogleAccount, request: SandboxRequest) => SandboxResponse,
  ): Route {
    return {
      method,
      pattern,
      endpoint,
      handle: (request) => {
        try {
          const account = this.authorized(request, scopes);
          const user = request.params['user'];
          if (user !== 'me' && user !== account.email) throw new GoogleFault(403, 'forbidden', `Delegation denied for ${account.email}`);
          return run(account, request);
        } catch (error) {
          if (error instanceof GoogleFault) return error.response();
          throw error;
        }
      },
    };
  }

  private profile(account: GoogleAccount): SandboxResponse {
    return ok({
      emailAddress: account.email,
      messagesTotal: account.mail.size,
      threadsTotal: new Set([...account.mail.values()].map((mail) => mail.threadId)).size,
      historyId: String(account.historyId),
    });
  }

  private send(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const upload = request.path.startsWith('/upload');
    const encoded = text(request.body['raw']);
    if (!upload && !encoded) throw badRequest("'raw' RFC822 payload message string or uploading message via /upload/* URL required");
    const raw = upload ? request.rawBody.toString('utf8') : Buffer.from(encoded as string, 'base64url').toString('utf8');
    const mail = parseMail(raw);
    if (!mail.to && !mail.cc && !mail.bcc) throw new GoogleFault(400, 'invalidArgument', 'Recipient address required');
    request.note({
      to: hashPrefix(mail.to),
      textHash: hashPrefix(mail.text || mail.html),
      ...(mail.messageId ? { messageId: hashPrefix(mail.messageId) } : {}),
    });
    const threadId = text(request.body['threadId']);
    if (threadId && ![...account.mail.values()].some((other) => other.threadId === threadId))
      throw notFound('Requested entity was not found.');
    const message = this.world.addMail(account, raw, ['SENT'], threadId);
    return ok({ id: message.id, threadId: message.threadId, labelIds: message.labelIds });
  }

  private list(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const labels = request.query.getAll('labelIds');
    const matches = searchOf(request.query.get('q') ?? '');
    const found = [...account.mail.values()]
      .reverse()
      .filter(
        (mail) =>
          labels.every((label) => mail.labelIds.includes(label)) &&
          (request.query.get('includeSpamTrash') === 'true' || !['TRASH', 'SPAM'].some((label) => mail.labelIds.includes(label))) &&
          matches(mail),
      );
    const size = Math.min(500, Math.max(1, Number(request.query.get('maxResults') ?? 100)));
    const after = request.query.get('pageToken');
    const start = after ? found.findIndex((mail) => mail.id === after) : 0;
    if (start < 0) throw badRequest('Invalid pageToken', 'pageToken');
    const page = pageFrom(found, start, size);
    const messages = page.items.map((mail) => ({ id: mail.id, threadId: mail.threadId }));
    return ok({
      ...(messages.length > 0 ? { messages } : {}),
      ...(page.next !== undefined ? { nextPageToken: found[page.next]!.id } : {}),
      resultSizeEstimate: found.length,
    });
  }

  private get(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const message = this.messageOf(account, request);
    const format = request.query.get('format') ?? 'full';
    const mail = parseMail(message.raw);
    const base: Json = {
      id: message.id,
      threadId: message.threadId,
      labelIds: message.labelIds,
      snippet: (mail.text || mail.html.replace(/<[^>]+>/g, ' ')).slice(0, 120).trim(),
      historyId: String(message.historyId),
      internalDate: String(message.internalDate),
      sizeEstimate: Buffer.byteLength(message.raw),
    };
    if (format === 'minimal') return ok(base);
    if (format === 'raw') return ok({ ...base, raw: Buffer.from(message.raw).toString('base64url') });
    const wanted = request.query.getAll('metadataHeaders').map((name) => name.toLowerCase());
    const headers = mail.headers.filter(
      (header) => format !== 'metadata' || wanted.length === 0 || wanted.includes(header.name.toLowerCase()),
    );
    return ok({
      ...base,
      payload: { partId: '', mimeType: mail.mimeType, filename: '', headers, ...(format === 'full' ? bodyOf(mail) : {}) },
    });
  }

  private trash(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const message = this.messageOf(account, request);
    this.world.changeLabels(account, message, ['TRASH'], ['INBOX']);
    return ok({ id: message.id, threadId: message.threadId, labelIds: message.labelIds });
  }

  private remove(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    this.world.deleteMail(account, request.params['id'] ?? '');
    return { status: 204 };
  }

  private history(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const startText = request.query.get('startHistoryId');
    if (!startText || !/^\d+$/.test(startText)) throw badRequest('Invalid startHistoryId', 'startHistoryId');
    const start = BigInt(startText);
    if (start < BigInt(account.oldestHistoryId) || start > BigInt(account.historyId)) throw notFound('Requested entity was not found.');
    const types = request.query.getAll('historyTypes');
    const label = request.query.get('labelId');
    const entries = account.history.filter(
      (entry) =>
        BigInt(entry.id) > start && (types.length === 0 || types.includes(entry.type)) && (!label || entry.labelIds.includes(label)),
    );
    const size = Math.min(500, Math.max(1, Number(request.query.get('maxResults') ?? 100)));
    const offset = Number(request.query.get('pageToken') ?? 0);
    const page = pageFrom(entries, offset, size);
    return ok({
      // The key is absent, not empty, when nothing happened.
      ...(page.items.length > 0 ? { history: page.items.map((entry) => historyView(entry, account.mail.get(entry.messageId))) } : {}),
      ...(page.next !== undefined ? { nextPageToken: String(page.next) } : {}),
      historyId: String(account.historyId),
    });
  }

  private watch(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    if (!/^projects\/[^/]+\/topics\/[^/]+$/.test(String(request.body['topicName'] ?? '')))
      throw badRequest('Invalid topicName does not match projects/*/topics/*', 'topicName');
    account.mailWatchUntil = this.world.context.now() + WATCH_MS;
    this.world.push.mailChanged(account);
    this.world.context.changed();
    return ok({ historyId: String(account.historyId), expiration: String(account.mailWatchUntil) });
  }

  private stop(account: GoogleAccount): SandboxResponse {
    account.mailWatchUntil = 0;
    this.world.context.changed();
    return { status: 204 };
  }

  private messageOf(account: GoogleAccount, request: SandboxRequest): MailMessage {
    const message = account.mail.get(request.params['id'] ?? '');
    if (!message) throw notFound('Requested entity was not found.');
    return message;
  }
}

function bodyOf(mail: ParsedMail): Json {
  const content = mail.text || mail.html;
  return {
    body: { size: Buffer.byteLength(content), data: Buffer.from(content).toString('base64url') },
    ...(mail.attachments.length > 0
      ? {
          parts: mail.attachments.map((file, index) => ({
            partId: String(index + 1),
            mimeType: file.contentType,
            filename: file.filename,
            body: { attachmentId: `att-${index}`, size: file.size },
          })),
        }
      : {}),
  };
}

function historyView(entry: HistoryEntry, message: MailMessage | undefined): Json {
  const reference = { id: entry.messageId, threadId: entry.threadId };
  const labelIds = message?.labelIds ?? entry.labelIds;
  return {
    id: String(entry.id),
    messages: [reference],
    [LIST_KEYS[entry.type]]: [
      { message: { ...reference, labelIds }, ...(entry.type.startsWith('label') ? { labelIds: entry.labelIds } : {}) },
    ],
  };
}

/** The few search operators that are needed: `rfc822msgid:`, `from:`, `to:`, `subject:`, and plain words. */
function searchOf(q: string): (mail: MailMessage) => boolean {
  const terms = q.match(/(\w+:)?("[^"]*"|\S+)/g) ?? [];
  if (terms.length === 0) return () => true;
  return (stored) => {
    const mail = parseMail(stored.raw);
    return terms.every((term) => {
      const [, field, quoted = ''] = /^(?:(rfc822msgid|from|to|subject|in):)?(.*)$/i.exec(term) ?? [];
      const value = quoted.replace(/^"|"$/g, '').toLowerCase();
      if (field === 'rfc822msgid') return mail.messageId.replace(/[<>]/g, '').toLowerCase() === value.replace(/[<>]/g, '');
      if (field === 'in') return stored.labelIds.some((label) => label.toLowerCase() === value);
      if (field) return (field === 'subject' ? mail.subject : valueOf(mail.headers, field)).toLowerCase().includes(value);
      return stored.raw.toLowerCase().includes(value);
    });
  };
}

function ok(body: Json): SandboxResponse {
  return { status: 200, body };
}
