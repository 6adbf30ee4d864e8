import type MailComposer from 'nodemailer/lib/mail-composer';
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { IntegrationError } from '../../errors';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded by the first who sends mail
const composer = () => require('nodemailer/lib/mail-composer') as typeof MailComposer;

/** Of all attachments together, decoded: https://support.google.com/mail/answer/6584 */
export const MAX_ATTACHMENT_BYTES = 25 * 1024 * 1024;
/** JSON with such attachments in base64, and some text. */
export const EMAIL_BODY_BYTES = 36 * 1024 * 1024;
const MAX_TEXT = 1024 * 1024;

// eslint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
const oneLine = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !CONTROL.test(text), { error: 'must not hold line breaks or control characters' });

/** No dots in a row; the last label of letters, or of a script of its own (`xn--p1ai`). */
const ADDRESS = /^(?!\.)(?!.*\.\.)[\w.'+-]*[\w+-]@(?:[a-z0-9][a-z0-9-]*\.)+(?:[a-z]{2,}|xn--[a-z0-9-]{1,58}[a-z0-9])$/i;

/** An e-mail address alone, of any domain, as mail and invitations need it. */
export const emailAddress = z
  .string()
  .max(320)
  .transform(withAsciiDomain)
  .pipe(z.email({ pattern: ADDRESS, error: 'must be an e-mail address' }).max(320));

/** `ada@example.com` or `Ada Lovelace <ada@example.com>`. Checked here, as the composer makes a group of recipients out of a line break. */
const address = oneLine(320 + 200)
  .transform(splitAddress)
  .pipe(z.object({ name: z.string().max(200), address: z.email({ pattern: ADDRESS, error: 'must be an e-mail address' }).max(320) }));
const addresses = z.array(address).max(100);

/** RFC 5322, 3.6.4. */
const MESSAGE_ID = z
  .string()
  .max(500)
  .regex(/^<[^\s<>]+@[^\s<>]+>$/, 'must be a Message-ID like <id@example.com>');

const attachment = z.strictObject({
  filename: oneLine(255)
    .min(1)
    .refine((name) => !/[\\/]/.test(name), { error: 'must not hold a path' }),
  contentType: z
    .string()
    .max(127)
    .regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i, 'must be a content type like application/pdf'),
  contentBase64: z.base64({ error: 'must be base64' }),
});

/** At most 100 recipients in all, as the API takes no more of a person at once. */
export const sendEmailBody = z
  .strictObject({
    to: addresses.min(1),
    cc: addresses.optional(),
    bcc: addresses.optional(),
    subject: oneLine(998),
    text: z.string().max(MAX_TEXT).optional(),
    html: z.string().max(MAX_TEXT).optional(),
    attachments: z.array(attachment).max(50).optional(),
    /** To answer: the thread, and the Message-ID of the message that is answered, as emails.get gives them. */
    replyTo: z.strictObject({ threadId: z.string().regex(/^\w{1,64}$/, 'must be the id of a thread'), messageId: MESSAGE_ID }).optional(),
  })
  .refine((mail) => mail.to.length + (mail.cc?.length ?? 0) + (mail.bcc?.length ?? 0) <= 100, {
    error: 'must be at most 100 in all',
    path: ['to'],
  })
  .refine((mail) => mail.text !== undefined || mail.html !== undefined || (mail.attachments?.length ?? 0) > 0, {
    error: 'Give at least one of text, html and attachments.',
    path: ['text'],
  });
export type SendEmail = z.output<typeof sendEmailBody>;

export interface Envelope {
  /** The account's own address; Gmail sets it in any case. */
  readonly from?: string;
  /** Ours, so that a mail of a doubtful outcome can be looked for; Gmail may replace it. */
  readonly messageId: string;
  readonly date: Date;
}

/**
 * Builds the message (RFC 5322): encoded headers, CRLF, no file and no address read on behalf of who wrote it. Blind copies stay in, since Gmail takes
 * the recipients from the headers and strips that one itself.
 * @throws IntegrationError `payload_too_large` above 25 MB of attachments
 */
export async function composeMail(mail: SendEmail, envelope: Envelope): Promise<Buffer> {
  const attachments = (mail.attachments ?? []).map(({ filename, contentType, contentBase64 }) => ({
    filename,
    contentType,
    content: Buffer.from(contentBase64, 'base64'),
    contentDisposition: 'attachment',
  }));
  if (attachments.reduce((sum, each) => sum + each.content.byteLength, 0) > MAX_ATTACHMENT_BYTES) {
    throw new IntegrationError('payload_too_large', {
      detail: 'The attachments are larger than 25 MB together.',
      nextStep: 'Send fewer or smaller files, or a link to them.',
      notExecuted: true,
    });
  }
  const message = new (composer())({
    ...(envelope.from === undefined ? {} : { from: { name: '', address: envelope.from } }),
    to: mail.to,
    cc: mail.cc ?? [],
    bcc: mail.bcc ?? [],
    subject: mail.subject,
    ...(mail.text === undefined ? {} : { text: mail.text }),
    ...(mail.html === undefined ? {} : { html: mail.html }),
    attachments,
    messageId: envelope.messageId,
    ...(mail.replyTo && { inReplyTo: mail.replyTo.messageId, references: mail.replyTo.messageId }),
    date: envelope.date,
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  message.keepBcc = true;
  return message.build();
}

function splitAddress(text: string): { name: string; address: string } {
  const [, name = '', inner = ''] = /^\s*(?:"([^"\\]*)"|[^<>"]*?)\s*<([^<>]*)>\s*$/.exec(text) ?? [];
  if (inner === '') return { name: '', address: withAsciiDomain(text.trim()) };
  const bare = name || text.slice(0, text.indexOf('<')).replaceAll('"', '').trim();
  return { name: bare, address: withAsciiDomain(inner.trim()) };
}

/** People type `info@bücher.example`; mail is sent to `info@xn--bcher-kva.example` (RFC 5891). What is no domain stays, and is refused. */
export function withAsciiDomain(text: string): string {
  const at = text.lastIndexOf('@');
  const domain = text.slice(at + 1);
  // Nothing but letters, digits, hyphens and dots, in any script: the URL parser would take more for a host.
  if (at < 0 || !/^[\p{L}\p{M}\p{N}.。．｡-]+$/u.test(domain)) return text;
  return text.slice(0, at + 1) + (domainToASCII(domain) || domain);
}
