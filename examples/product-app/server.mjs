// A product that lets its users connect Slack through Trestle: node examples/product-app/server.mjs
// Its one user is Ada of Acme; a real product has a sign-in, and its own database in place of the three variables below.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { TrestleClient, TrestleError, verifyWebhook } from '@trestle/client';

const { TRESTLE_URL = 'http://localhost:3000', API_JWT_SECRET = '', PORT = '4000' } = process.env;
const { PRODUCT_URL = `http://localhost:${PORT}` } = process.env;
const cursors = new Map(); // how far each resource of a connection was read
const heard = []; // what Trestle told, newest first
let webhookSecret = '';

/** What every call to Trestle carries: who asks, in which organization, as what. Made by the product's backend, for minutes. */
function tokenFor(user, role = 'user') {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ sub: user, tenant: 'acme', role, iat: now, exp: now + 300 })}`;
  return `${signed}.${createHmac('sha256', API_JWT_SECRET).update(signed).digest('base64url')}`;
}

const ada = new TrestleClient({ baseUrl: TRESTLE_URL, token: () => tokenFor('ada') });
const admin = new TrestleClient({ baseUrl: TRESTLE_URL, token: () => tokenFor('product', 'admin') });

/** Asks Trestle to post here what happens. The secret is shown once, so a destination of an earlier start is replaced. */
async function subscribe() {
  const url = `${PRODUCT_URL}/webhooks/trestle`;
  const { data } = await admin.get('/v1/admin/destinations');
  for (const { id } of data.filter((known) => known.url === url))
    await admin.delete('/v1/admin/destinations/{id}', { params: { path: { id } } });
  const events = ['connection.connected', 'connection.needs_reauth', 'sync.completed', 'record.changed'];
  const { secret } = await admin.post('/v1/admin/destinations', { body: { name: 'product', url, events } });
  webhookSecret = secret;
}

/** Reads what is new; the cursor is kept after each change, so that a crash repeats some and skips none. */
async function readChanges({ connectionId, resource }) {
  const key = `${connectionId}/${resource}`;
  for await (const change of ada.records(connectionId, resource, { cursor: cursors.get(key) })) {
    heard.unshift(`${resource}: ${change.deleted ? 'deleted' : 'has'} ${change.data?.name ?? change.id}`);
    if (change.cursor) cursors.set(key, change.cursor);
  }
}

async function slackConnection() {
  const { data } = await ada.get('/v1/connections', { params: { query: { provider: 'slack' } } });
  return data.find(({ connected }) => connected);
}

const routes = {
  'GET /': async () => {
    const connection = await slackConnection();
    const actions = ['message', 'sync'].map((name) => `<form method="post" action="/${name}"><button>${name}</button></form>`).join('');
    const status = connection
      ? `Slack is connected to ${escaped(connection.account.name)}.${actions}`
      : '<a href="/connect">Connect Slack</a>';
    return {
      html: `<h1>Product</h1>${status} <a href="/settings">All connections</a><pre>${escaped(heard.slice(0, 50).join('\n'))}</pre>`,
    };
  },
  'GET /connect': async () => ({
    to: (await ada.post('/v1/connect-sessions', { body: { provider: 'slack', returnTo: PRODUCT_URL } })).connectUrl,
  }),
  'GET /settings': async () => ({ to: (await ada.post('/v1/browser-sessions', { body: {} })).url }),
  'POST /message': async () => {
    const params = { path: { id: (await slackConnection()).id } };
    await ada.post('/v1/connections/{id}/slack/messages', { params, body: { channel: 'general', text: 'Hello from the product' } });
    return { to: '/' };
  },
  'POST /sync': async () => {
    await ada.post('/v1/connections/{id}/syncs', { params: { path: { id: (await slackConnection()).id } }, body: { type: 'incremental' } });
    return { to: '/' };
  },
  'POST /webhooks/trestle': async (request, body) => {
    const { type, data } = await verifyWebhook(body, request.headers, webhookSecret);
    heard.unshift(`verified webhook: ${type}`);
    if (type === 'record.changed') await readChanges(data);
    return {};
  },
};

const server = createServer(async (request, response) => {
  try {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) if ((body += chunk).length > 1_000_000) return request.destroy();
    const route = routes[`${request.method} ${new URL(request.url, PRODUCT_URL).pathname}`];
    const { html = '', to } = route ? await route(request, body) : { html: 'There is no such page.' };
    response.writeHead(to ? 302 : route ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', ...(to && { location: to }) }).end(html);
  } catch (error) {
    console.error(error.message);
    const status = error.name === 'WebhookVerificationError' ? 401 : 500;
    response.writeHead(status).end(error instanceof TrestleError ? `${error.detail} ${error.nextStep}` : 'Something failed.');
  }
});
const escaped = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`product listens on ${server.address().port}`);
  subscribe().then(
    () => console.log(`product: ${PRODUCT_URL}`),
    (error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
});
