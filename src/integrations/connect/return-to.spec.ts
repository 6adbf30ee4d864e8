import { resolveReturnTo, withOutcome } from './return-to';

const settings = { publicUrl: 'https://connect.example.com', returnToOrigins: ['https://connect.example.com', 'https://ok.com'] };

describe('resolveReturnTo', () => {
  it.each([
    [undefined, 'https://connect.example.com/connect/done'],
    ['/connect/done', 'https://connect.example.com/connect/done'],
    ['/', 'https://connect.example.com/'],
    ['/a/b?c=d#e', 'https://connect.example.com/a/b?c=d#e'],
    ['/@evil.com', 'https://connect.example.com/@evil.com'],
    ['https://ok.com', 'https://ok.com/'],
    ['https://ok.com/done?x=1', 'https://ok.com/done?x=1'],
    ['HTTPS://OK.com/', 'https://ok.com/'],
  ])('takes %j', (given, expected) => {
    expect(resolveReturnTo(given, settings).href).toBe(expected);
  });

  it.each([
    '',
    'evil',
    '//evil.com',
    '///evil.com',
    '/\\evil.com',
    '\\/evil.com',
    '\\\\evil.com',
    'https:evil.com',
    'https:/evil.com',
    'https:///evil.com',
    'https:\\\\evil.com',
    '%2f%2fevil.com',
    '/%2fevil.com',
    '/%2F%2Fevil.com',
    '/%5cevil.com',
    'ok.com@evil.com',
    'https://ok.com@evil.com/',
    'https://ok.com:x@evil.com',
    'https://user@ok.com/',
    'https://ok.com.evil.com/',
    'https://evil.com/https://ok.com',
    'http://ok.com/',
    'https://ok.com:8443/',
    'https://ok.com\r\nset-cookie: a=b',
    '/a\r\nlocation: https://evil.com',
    '/\tevil',
    ' https://ok.com',
    '/\u202eevil',
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://ok.com',
    'https://[',
    `/${'a'.repeat(2_000)}`,
    '/connect/done/',
    '/connect/%64one',
    '/connect/done/..',
    '/connect/done/../slack',
    '/\u0000',
    'https://ok.com\\@evil.com',
  ])('refuses %j', (given) => {
    expect(() => resolveReturnTo(given, settings)).toThrow(expect.objectContaining({ code: 'invalid_return_to', status: 400 }));
  });
});

describe('withOutcome', () => {
  it('keeps the query and replaces what an earlier flow left', () => {
    const url = new URL('https://ok.com/done?x=1&error=old&connection=old#top');
    expect(withOutcome(url, { success: 'chat', connection: 'c1' })).toBe('https://ok.com/done?x=1&success=chat&connection=c1#top');
  });
});
