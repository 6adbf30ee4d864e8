import { composeMail, sendEmailBody } from './google-mail.composer';

describe('composing', () => {
  const mail = (fields: object) => sendEmailBody.safeParse({ to: ['a@example.test'], subject: 's', text: 't', ...fields });

  it.each([
    ['info@bücher.example', 'info@xn--bcher-kva.example'],
    ['Ada <ada@Пример.example>', 'ada@xn--e1afmkfd.example'],
    ['ada@例え。テスト', 'ada@xn--r8jz45g.xn--zckzah'],
  ])('sends to an address as people type it: %s', (typed, sent) => {
    expect(mail({ to: [typed] }).data?.to[0]?.address).toBe(sent);
  });

  it.each(['ada@bücher.example/path', 'ada@bücher example', 'ada@', '@bücher.example', 'ada@xn--', 'ada@bücher.example:25'])(
    'refuses what is no address: %s',
    (typed) => {
      expect(mail({ to: [typed] }).success).toBe(false);
    },
  );
  const envelope = { messageId: '<op@trestle.test>', date: new Date(0) };

  it.each([
    ['a line break in the subject', { subject: 'Hi\r\nBcc: evil@example.test' }],
    ['a line break in an address', { to: ['a@example.test\r\nBcc: evil@example.test'] }],
    ['a NUL in an address', { cc: ['a\0@example.test'] }],
    ['a group of recipients', { to: ['friends: evil@example.test;'] }],
    ['two addresses in one', { to: ['a@example.test, evil@example.test'] }],
    ['a line break in a name', { to: ['A\nB <a@example.test>'] }],
    ['nobody to send to', { to: [] }],
    ['nothing to send', { text: undefined }],
    ['a path as file name', { attachments: [{ filename: '../x', contentType: 'text/plain', contentBase64: '' }] }],
    ['a content type with a line break', { attachments: [{ filename: 'x', contentType: 'text/plain\r\nX: y', contentBase64: '' }] }],
    ['a file to read', { attachments: [{ filename: 'x', contentType: 'text/plain', path: '/etc/hostname' }] }],
    ['what is not base64', { attachments: [{ filename: 'x', contentType: 'text/plain', contentBase64: '§' }] }],
    ['an unknown field', { headers: { 'X-Evil': '1' } }],
  ])('refuses %s', (_, fields) => {
    expect(mail(fields).success).toBe(false);
  });

  it('keeps the blind copy, encodes what is not ASCII and ends lines with CRLF', async () => {
    const parsed = mail({
      to: ['"Doe, Jane" <jane@example.test>', 'Zoë <zoe@example.test>'],
      bcc: ['hidden@example.test'],
      subject: 'Grüße',
    });
    const raw = (await composeMail(parsed.data!, envelope)).toString('latin1');
    expect(raw).toContain('Bcc: hidden@example.test');
    expect(raw).toContain('"Doe, Jane" <jane@example.test>');
    expect(raw).toContain('Message-ID: <op@trestle.test>');
    expect(raw).toMatch(/Subject: =\?UTF-8\?/i);
    expect(raw.replaceAll('\r\n', '')).not.toContain('\n');
  });

  it('refuses attachments above 25 MB together', async () => {
    const half = {
      filename: 'x',
      contentType: 'application/octet-stream',
      contentBase64: Buffer.alloc(13 * 1024 * 1024).toString('base64'),
    };
    await expect(composeMail(mail({ attachments: [half, half] }).data!, envelope)).rejects.toMatchObject({ code: 'payload_too_large' });
  });
});
