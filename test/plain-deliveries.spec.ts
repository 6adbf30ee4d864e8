import { connect } from 'node:net';
import { signedDelivery } from '../src/integrations/webhooks/testing/signed-delivery';
import { startTestApp, type TestApp } from './support/test-app';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let test: TestApp;
const lines: string[] = [];

beforeAll(async () => {
  test = await startTestApp({ log: { write: (line: string) => void lines.push(line) } });
});
afterAll(() => test.close());

/** What comes back for these bytes, written in these pieces. */
async function raw(...pieces: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(test.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  const ended = new Promise((resolve) => socket.on('data', (data) => (text += data.toString())).on('close', resolve));
  socket.on('error', () => undefined);
  for (const piece of pieces) await new Promise((resolve) => setImmediate(() => socket.write(piece, resolve)));
  await ended;
  return text;
}

function read(text: string): Answer {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(fields.map((field) => [field.split(': ')[0]!.toLowerCase(), field.slice(field.indexOf(': ') + 2)]));
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}

function stripe(id: string, secret = secretOf(test)) {
  const event = {
    id,
    object: 'event',
    type: 'customer.updated',
    livemode: false,
    account: 'acct_1',
    created: 1,
    data: { object: { id: 'cus_1', object: 'customer' } },
  };
  return signedDelivery({ as: 'stripe', secret, body: event });
}

function head(path: string, headers: Readonly<Record<string, string>>, more: readonly string[] = []): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${path} HTTP/1.1`, `host: ${new URL(test.url).host}`, 'connection: close', ...fields, ...more, '', ''].join('\r\n');
}

/** With its length, past the framework; in chunks, the ordinary way. */
async function bothWays(path: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<[Answer, Answer]> {
  const plain = await raw(head(path, headers, [`content-length: ${body.length}`]), body);
  const chunked = await raw(head(path, headers, ['transfer-encoding: chunked']), `${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n');
  return [read(plain), read(chunked)];
}

const secretOf = ({ settings }: TestApp): string => settings.providers.stripe?.webhookSecrets[0] ?? '';

const comparable = ({ status, headers, body }: Answer) => ({
  status,
  headers: { ...headers, date: '', 'x-request-id': '', 'content-length': '' },
  body: body.replace(/"requestId":"[^"]*"/, ''),
});

describe('a plain delivery', () => {
  it.each([
    ['that is good', '/webhooks/stripe', 200, () => stripe('evt_1')],
    ['with a wrong signature', '/webhooks/stripe', 401, () => stripe('evt_2', 'whsec_other')],
    ['for nobody', '/webhooks/nobody', 404, () => stripe('evt_3')],
    ['that is no event', '/webhooks/stripe', 200, () => signedDelivery({ as: 'stripe', secret: secretOf(test), body: '[]' })],
  ] as const)('%s is answered as by the ordinary way', async (_, path, status, make) => {
    const { headers, body } = make();
    const [plain, ordinary] = await bothWays(path, headers, body);
    expect(plain.status).toBe(status);
    expect(comparable(plain)).toEqual(comparable(ordinary));
  });

  it('is read whole, in however many pieces it comes, and carries the id of its request', async () => {
    const { headers, body } = stripe('evt_pieces');
    const bytes = body;
    const pieces = Array.from({ length: Math.ceil(bytes.length / 40) }, (_, i) => bytes.subarray(i * 40, (i + 1) * 40));
    const answer = read(
      await raw(head('/webhooks/stripe', { ...headers, 'x-request-id': 'mine-1' }, [`content-length: ${bytes.length}`]), ...pieces),
    );
    expect([answer.status, answer.headers['x-request-id']]).toEqual([200, 'mine-1']);
    expect(lines.some((line) => line.includes('"requestId":"mine-1"') && line.includes('"status":200'))).toBe(true);
  });

  it('over the cap is refused before it is read', async () => {
    const { headers } = stripe('evt_big');
    const answer = read(await raw(head('/webhooks/stripe', headers, [`content-length: ${test.settings.webhookMaxBytes + 1}`])));
    expect(answer.status).toBe(413);
  });

  it('of which the client gives up in the middle leaves nothing and hurts nobody', async () => {
    const { hostname, port } = new URL(test.url);
    const { headers, body } = stripe('evt_half');
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) =>
      socket.write(head('/webhooks/stripe', headers, [`content-length: ${body.length}`]) + body.toString().slice(0, 20), resolve),
    );
    socket.destroy();
    const next = stripe('evt_after');
    const [after] = await bothWays('/webhooks/stripe', next.headers, next.body);
    expect(after.status).toBe(200);
    for (let look = 0; look < 200 && !lines.some((line) => line.includes('given up')); look++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(lines.filter((line) => line.includes('given up'))).toHaveLength(1);
  });

  it('that names two hosts is refused', async () => {
    const { headers, body } = stripe('evt_hosts');
    const answer = read(await raw(head('/webhooks/stripe', headers, ['host: other', `content-length: ${body.length}`]), body));
    expect(answer.status).toBe(400);
  });
});
