import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startShop, type RunningShop } from './main';

const SIGNING_SECRET = 'a-signing-secret-of-slack';
let folder: string;
let shop: RunningShop;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-'));
  const credentials = { SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'secret', SLACK_SIGNING_SECRET: SIGNING_SECRET };
  const env = { ...credentials, NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'silent', SANDBOX: 'off', DATA_DIR: join(folder, 'trestle') };
  shop = await startShop(env);
});
after(async () => {
  await shop?.close();
  await rm(folder, { recursive: true, force: true });
});

void test("the shop's routes are where they were, on Express", async () => {
  const ways = await fetch(`${shop.url}/orders/ways-to-connect`);
  assert.equal(ways.headers.get('x-powered-by'), 'Express');
  assert.ok(((await ways.json()) as string[]).includes('Slack'));
  const headers = { 'content-type': 'application/json' };
  assert.equal((await fetch(`${shop.url}/orders`, { method: 'POST', headers, body: '{"item":"tea"}' })).status, 201);
  assert.equal((await fetch(`${shop.url}/v1/providers`)).status, 404);
});

void test('Trestle lies below its prefix, and verifies webhooks over the bytes as they came', async () => {
  const refused = await fetch(`${shop.url}/integrations/v1/providers`);
  assert.deepEqual([refused.status, refused.headers.get('content-type')?.split(';')[0]], [401, 'application/problem+json']);
  const body = '{"type":"url_verification",  "challenge":"abc"}';
  const at = String(Math.floor(Date.now() / 1_000));
  const signature = `v0=${createHmac('sha256', SIGNING_SECRET).update(`v0:${at}:${body}`).digest('hex')}`;
  const send = (sent: string) =>
    fetch(`${shop.url}/integrations/webhooks/slack`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-slack-request-timestamp': at, 'x-slack-signature': signature },
      body: sent,
    });
  assert.equal((await send(body)).status, 200);
  assert.equal((await send(`${body} `)).status, 401);
});
