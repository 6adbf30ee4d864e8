import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startShop, type RunningShop } from './main';

const SIGNING_SECRET = 'a-signing-secret-of-slack';
const PARCELS_SECRET = 'a-secret-of-parcels';
let folder: string;
let shop: RunningShop;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-'));
  const credentials = { SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'secret', SLACK_SIGNING_SECRET: SIGNING_SECRET };
  const env = { ...credentials, PARCELS_WEBHOOK_SECRET: PARCELS_SECRET, NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'silent', SANDBOX: 'off' };
  shop = await startShop(env, folder);
});
after(async () => {
  await shop?.close();
  await rm(folder, { recursive: true, force: true });
});

async function call(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const answer = await fetch(shop.url + path, init);
  const text = await answer.text();
  const type = answer.headers.get('content-type')?.split(';')[0];
  return { status: answer.status, type, headers: answer.headers, body: (type?.includes('json') ? JSON.parse(text) : text) as never };
}
const open = { 'x-shop': 'open' };
const ada = { 'x-shop-user': 'ada' };

void test('the shop has its own routes, its own guard, its own database', async () => {
  assert.equal((await call('/v1/orders')).status, 403, "the shop's guard");
  const made = await call('/v1/orders', {
    method: 'POST',
    headers: { ...open, 'content-type': 'application/json' },
    body: '{"item":"tea"}',
  });
  assert.equal(made.status, 201);
  const { body } = await call('/v1/orders', { headers: open });
  assert.deepEqual(body, { orders: [{ id: 1, item: 'tea' }], tables: ['orders'], same: true });
});

void test("what fails at the shop is the shop's own: no problem, no header of Trestle", async () => {
  const broken = await call('/v1/orders/broken', { headers: open });
  assert.deepEqual([broken.status, broken.type, broken.headers.get('x-request-id')], [500, 'application/json', null]);
  const malformed = await call('/v1/orders', { method: 'POST', headers: { ...open, 'content-type': 'application/json' }, body: '{' });
  assert.deepEqual([malformed.status, malformed.type], [400, 'application/json']);
  assert.equal((await call('/nothing')).type, 'application/json');
});

void test("Trestle's routes know the shop's users, and refuse everybody else with a problem", async () => {
  const nobody = await call('/v1/connections');
  assert.deepEqual([nobody.status, nobody.type], [401, 'application/problem+json']);
  const blocked = await call('/v1/connections', { headers: { 'x-shop-user': 'blocked' } });
  assert.equal((blocked.body as { detail: string }).detail, 'The shop has closed this account.');
  assert.deepEqual((await call('/v1/connections', { headers: ada })).body, { data: [], nextCursor: null });
  assert.equal((await call('/v1/admin/health', { headers: ada })).status, 403);
  assert.equal((await call('/v1/admin/health', { headers: { 'x-shop-user': 'eve:admin' } })).status, 200);
  const malformed = await call('/v1/connect-sessions', {
    method: 'POST',
    headers: { ...ada, 'content-type': 'application/json' },
    body: '{',
  });
  assert.deepEqual([malformed.status, malformed.type], [400, 'application/problem+json']);
});

void test("the shop's provider, operation and migration are there", async () => {
  const providers = (await call('/v1/providers', { headers: ada })).body as { data: { key: string }[] };
  assert.ok(providers.data.some(({ key }) => key === 'slack'));
  const { data } = (await call('/v1/operations?provider=slack', { headers: ada })).body as { data: { name: string }[] };
  assert.ok(data.some(({ name }) => name === 'team.show'));
  const body = JSON.stringify({ id: 'e1', type: 'parcel.sent', account: 'a1' });
  const signature = createHmac('sha256', PARCELS_SECRET).update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-parcels-signature': signature };
  assert.equal((await call('/webhooks/parcels', { method: 'POST', headers, body })).status, 200);
  assert.equal((await call('/webhooks/parcels', { method: 'POST', headers, body: `${body} ` })).status, 401);
});
