import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { verifySigned } from '../src/integrations';
import { STRIPE_SIGNATURE } from '../src/providers/stripe/stripe.facts';

const SECRET = 'whsec_of_the_service';

function run(file: string, args: string[]): ChildProcess {
  return spawn(process.execPath, ['-r', './scripts/register-swc.cjs', file, ...args], {
    cwd: join(__dirname, '..'),
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

describe('npm run webhook', () => {
  const got: { url: string | undefined; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  let server: Server;
  let to: string;
  let status = 200;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          got.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
          response.writeHead(status).end();
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    to = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    got.length = 0;
    status = 200;
  });

  it('sends one delivery that is signed with the secret that was given, and says what was answered', async () => {
    const args = ['stripe', 'invoice.paid', '--to', to, '--secret', SECRET, '--account', 'acct_1', '--payload', '{"amount_paid":7}'];
    const { code, stdout } = await ended(run('sandbox/webhook.ts', args));
    const [delivery] = got;
    const event = JSON.parse(delivery?.body.toString() ?? '') as { id: string };
    expect({ code, got: got.length, url: delivery?.url }).toEqual({ code: 0, got: 1, url: '/webhooks/stripe' });
    expect(event).toMatchObject({ type: 'invoice.paid', account: 'acct_1', data: { object: { amount_paid: 7 } } });
    expect(JSON.parse(stdout)).toEqual({ to, byStatus: { 200: 1 }, eventIds: [event.id] });
    const raw = { headers: delivery?.headers ?? {}, body: delivery?.body ?? Buffer.alloc(0), receivedAt: Date.now() };
    expect(verifySigned(raw, [SECRET], STRIPE_SIGNATURE)).toEqual({ ok: true });
    expect(verifySigned(raw, ['whsec_another'], STRIPE_SIGNATURE).ok).toBe(false);
  });

  it('ends with 1 where it was refused, and with 2 and a sentence where it cannot be sent', async () => {
    status = 401;
    expect(await ended(run('sandbox/webhook.ts', ['slack', 'message', '--to', to]))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"byStatus":{"401":1}'),
    });
    expect(await ended(run('sandbox/webhook.ts', ['nobody', 'x', '--to', to]))).toMatchObject({
      code: 2,
      stderr: 'provider must be one of slack, stripe, google\n',
    });
    expect(await ended(run('sandbox/webhook.ts', ['stripe']))).toMatchObject({ code: 2, stderr: expect.stringContaining('usage:') });
  });
});

it('npm run sandbox says where it listens and what the service needs, and its control API answers', async () => {
  const child = run('sandbox/main.ts', []);
  const end = ended(child);
  try {
    const [line] = (await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), end.then(() => [])])) as [Buffer | undefined];
    const { urls, env } = JSON.parse(line?.toString() ?? '{}') as { urls: Record<string, string>; env: Record<string, string> };
    expect(Object.keys(urls)).toEqual(['slack', 'stripe', 'google', 'control']);
    expect(env['STRIPE_WEBHOOK_SECRET']).toMatch(/^whsec_/);
    const { verbs } = (await (await fetch(`${urls['control']}/`)).json()) as { verbs: string[] };
    expect(verbs).toEqual(expect.arrayContaining(['GET /env', 'POST /faults', 'POST /deliver', 'POST /stripe/customers']));
  } finally {
    child.kill('SIGTERM');
  }
  expect((await end).code).toBe(0);
});
