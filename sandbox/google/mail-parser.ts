/** What the sandbox understands of a mail: enough to show it, not a mail client. */
export interface ParsedMail {
  headers: { name: string; value: string }[];
  from: string;
  to: string;
  cc: string;
  bcc: string;
  subject: string;
  messageId: string;
  text: string;
  html: string;
  attachments: { filename: string; contentType: string; size: number }[];
  mimeType: string;
}

/** Parses RFC 5322 with MIME parts, encoded words (RFC 2047), base64 and quoted-printable. */
export function parseMail(raw: string): ParsedMail {
  const mail: ParsedMail = {
    headers: [],
    from: '',
    to: '',
    cc: '',
    bcc: '',
    subject: '',
    messageId: '',
    text: '',
    html: '',
    attachments: [],
    mimeType: 'text/plain',
  };
  const { headers, body } = split(raw);
  mail.headers = headers;
  const header = (name: string): string => valueOf(headers, name);
  for (const name of ['from', 'to', 'cc', 'bcc', 'subject'] as const) mail[name] = decodeWords(header(name));
  mail.messageId = header('message-id');
  mail.mimeType = (header('content-type') || 'text/plain').split(';')[0]?.trim().toLowerCase() ?? 'text/plain';
  readPart(headers, body, mail, 0);
  return mail;
}

export function valueOf(headers: { name: string; value: string }[], name: string): string {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? '';
}

function readPart(headers: { name: string; value: string }[], body: string, mail: ParsedMail, depth: number): void {
  const contentType = valueOf(headers, 'content-type') || 'text/plain';
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (type.startsWith('multipart/') && boundary && depth < 5) {
    for (const chunk of body.split(`--${boundary}`).slice(1)) {
      if (chunk.startsWith('--')) break;
      const part = split(chunk.replace(/^\r?\n/, ''));
      readPart(part.headers, part.body.replace(/\r?\n$/, ''), mail, depth + 1);
    }
    return;
  }
  const bytes = decodeBody(body, valueOf(headers, 'content-transfer-encoding').trim().toLowerCase());
  const disposition = valueOf(headers, 'content-disposition');
  const filename = decodeWords(/filename="?([^";]+)"?/i.exec(disposition)?.[1] ?? /name="?([^";]+)"?/i.exec(contentType)?.[1] ?? '');
  if (filename || disposition.toLowerCase().startsWith('attachment'))
    mail.attachments.push({ filename, contentType: type, size: bytes.length });
  else if (type === 'text/html') mail.html ||= bytes.toString('utf8');
  else mail.text ||= bytes.toString('utf8');
}

function split(raw: string): { headers: { name: string; value: string }[]; body: string } {
  const end = /\r?\n\r?\n/.exec(raw);
  const head = (end ? raw.slice(0, end.index) : raw).replace(/\r?\n[ \t]+/g, ' ');
  const headers = head.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 ? [{ name: line.slice(0, colon), value: line.slice(colon + 1).trim() }] : [];
  });
  return { headers, body: end ? raw.slice(end.index + end[0].length) : '' };
}

function decodeBody(body: string, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(body, 'base64');
  if (encoding === 'quoted-printable')
    return Buffer.from(
      body.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
      'latin1',
    );
  return Buffer.from(body, 'utf8');
}

function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, data: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(data, 'base64').toString('utf8')
        : decodeBody(data.replaceAll('_', ' '), 'quoted-printable').toString('utf8'),
    );
}
