import { randomBytes } from 'node:crypto';
import type { Sandbox } from '../../sandbox';
import { atEnd } from '../faults/lib/clean-up';
import { ADMIN_ROUTES } from './lib/admin-paths';
import type { Attack } from './lib/attack';
import { startInstance, type Instance } from './lib/instance';
import { ask } from './lib/request';
import { Trials } from './lib/trials';

const PRODUCT = 'https://app.example.com';
const PARTNER = 'https://partner.example.com';
const EVIL = 'https://evil.example.com';

/** A page's token in the hands of somebody else: what it opens is little, here and not elsewhere, and not for long. */
const stolen: Attack = {
  id: 'A69',
  expected:
    'a browser token: opens no records, operations, proxy, admin routes, tokens or pages, and of the organization’s connections what its user may where it is made for them; not from another origin; not after its sessions are ended; not changed',
  async run(arena) {
    const trials = new Trials();
    const service = await startInstance({ ...arena.sandbox.env(), BROWSER_ORIGINS: `${PRODUCT},${PARTNER}` });
    atEnd(() => service.stop());
    const connection = await arena.connect('slack', { user: 'victim' }, undefined, service);
    const token = await tokenOf(service, { role: 'admin' }, { origin: PRODUCT });
    const call = (path: string, { as = token, origin = PRODUCT, ...rest }: Call = {}) =>
      ask(service.localUrl, path, { ...rest, headers: { authorization: `Bearer ${as}`, ...(origin && { origin }) } });
    trials.status('its own use', await call(`/v1/connections/${connection}`), 200);
    for (const path of [
      ...ADMIN_ROUTES,
      `/v1/connections/${connection}/records/channels`,
      `/v1/connections/${connection}/operations`,
      `/v1/connections/${connection}/proxy/auth.test`,
      `/v1/connections/${connection}/slack/channels`,
      `/v1/connections/${connection}/webhook-address`,
    ])
      trials.status(path, await call(path), 403);
    for (const path of ['/v1/browser-tokens', '/v1/browser-sessions', `/v1/connections/${connection}/operations/messages.send`])
      trials.status(`POST ${path}`, await call(path, { body: {} }), 403);
    trials.status('records destroyed', await call(`/v1/connections/${connection}?purge=true`, { method: 'DELETE' }), 403);
    for (const origin of [PARTNER, EVIL, 'null', '', `${PRODUCT}.evil.example.com`, 'http://app.example.com'])
      trials.status(`from ${origin || 'nowhere'}`, await call('/v1/connections', { origin }), 403);
    trials.status('in the address', await ask(service.localUrl, `/v1/connections?token=${token}`), 401);
    trials.status(
      'as a session',
      await ask(service.localUrl, '/settings/integrations', { headers: { cookie: `trestle_session=${token.slice(4)}` } }),
      401,
    );
    trials.status('changed', await call('/v1/connections', { as: token.slice(0, -8) + randomBytes(6).toString('base64url') }), 401);
    const other = await tokenOf(service, { tenant: 'umbrella' }, {});
    trials.status("another organization's", await call(`/v1/connections/${connection}`, { as: other }), 404);
    await organizationsOwn(arena.sandbox, service, connection, trials);
    trials.status('sessions ended', await service.as({ role: 'admin' }, '/v1/admin/users/victim/sessions', { method: 'DELETE' }), 200);
    trials.status('after that', await call('/v1/connections'), 401);
    trials.add('is in no log', !service.lines.some((line) => line.includes(token.slice(8, 48))));
    return trials.verdict();
  },
};

/** What is the organization's: nothing of it by the usual token; by one that opens it what its user may, and no more. */
async function organizationsOwn(sandbox: Sandbox, service: Instance, connection: string, trials: Trials): Promise<void> {
  const boss = { user: 'boss', role: 'admin' } as const;
  const made = async (account: string, policy: object) => {
    const body = {
      provider: 'stripe',
      apiKey: sandbox.control.change('stripe', 'keys', { account })['key'],
      owner: 'organization',
      policy,
    };
    return ((await service.as(boss, '/v1/connections', { body })).json as { id: string }).id;
  };
  const [used, hidden] = [await made('acct_1UsedByAll', {}), await made('acct_1ForAdmins', { usedBy: 'admins' })];
  const usual = await tokenOf(service, { role: 'admin' }, {});
  const users = await tokenOf(service, {}, { organization: true });
  const elsewhere = await tokenOf(service, { tenant: 'umbrella', role: 'admin' }, { organization: true });
  const admins = await tokenOf(service, boss, { organization: true });
  for (const [name, token, id, { method = 'GET', path = '', body }, status] of [
    ['the usual token, what all use', usual, used, {}, 404],
    ['the usual token, ends it', usual, used, { method: 'DELETE' }, 404],
    ['a user’s, what all use', users, used, {}, 200],
    ['a user’s, ends it', users, used, { method: 'DELETE' }, 403],
    ['a user’s, gives it another key', users, used, { method: 'MEND' }, 403],
    ['a user’s, gives themselves more', users, used, { method: 'PATCH', body: { policy: { managedBy: 'all' } } }, 403],
    ['a user’s, what administrators use', users, hidden, {}, 404],
    ['a user’s, ends that', users, hidden, { method: 'DELETE' }, 404],
    ['a user’s, its syncs', users, hidden, { path: '/syncs' }, 404],
    ['a user’s, its stream', users, hidden, { path: '/events' }, 404],
    ['an administrator’s, that', admins, hidden, {}, 200],
    ['an administrator’s, destroys records', admins, hidden, { method: 'DELETE', path: '?purge=true' }, 403],
    ['an administrator’s, records', admins, hidden, { path: '/records/customers' }, 403],
    ['an administrator’s, the proxy', admins, hidden, { path: '/proxy/v1/customers' }, 403],
    ['an administrator’s, who may use it', admins, hidden, { method: 'PATCH', body: { policy: { usedBy: 'all' } } }, 403],
    ['an administrator’s, another person’s', admins, connection, {}, 404],
    ['an administrator’s, ends another person’s', admins, connection, { method: 'DELETE' }, 404],
    ['of another organization', elsewhere, used, {}, 404],
    ['of another organization, ends it', elsewhere, used, { method: 'DELETE' }, 404],
  ] as readonly [string, string, string, { method?: string; path?: string; body?: object }, number][]) {
    const headers = { authorization: `Bearer ${token}`, origin: PRODUCT };
    const request =
      method === 'MEND'
        ? ask(service.localUrl, '/v1/connections', {
            headers,
            body: { provider: 'stripe', apiKey: 'sk_test_123456789012', connectionId: id },
          })
        : ask(service.localUrl, `/v1/connections/${id}${path}`, { headers, method, ...(body && { body }) });
    trials.status(name, await request, status);
  }
  for (const path of ['/v1/connections', '/v1/connect-sessions'])
    trials.status(
      `an administrator’s, for the organization anew by ${path}`,
      await ask(service.localUrl, path, {
        headers: { authorization: `Bearer ${admins}`, origin: PRODUCT },
        body: { provider: 'stripe', owner: 'organization', ...(path === '/v1/connections' && { apiKey: 'sk_test_123456789012' }) },
      }),
      403,
    );
}

/** A page of a stranger, in the browser of somebody who is at work in the product. */
const hostilePage: Attack = {
  id: 'A70',
  expected: 'a page of another origin: may read no answer, is told nothing when it asks first, frames nothing, and no cookie is asked for',
  async run(arena) {
    const trials = new Trials();
    const service = await startInstance({ ...arena.sandbox.env(), BROWSER_ORIGINS: PRODUCT });
    atEnd(() => service.stop());
    const token = await tokenOf(service, {}, {});
    const headers = (origin: string) => ({ authorization: `Bearer ${token}`, origin });
    const paths = ['/v1/connections', '/v1/providers', '/v1/admin/health', '/settings/integrations', '/health/ready'];
    for (const path of paths)
      for (const origin of [EVIL, 'null', `${PRODUCT}.evil.example.com`, 'https://app.example.com:444', 'https://APP.example.com']) {
        const answer = await ask(service.localUrl, path, { headers: headers(origin) });
        const question = await ask(service.localUrl, path, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' },
        });
        const told = [answer, question].flatMap(({ headers }) => Object.keys(headers).filter((name) => name.startsWith('access-control-')));
        trials.add(`${path} from ${origin}`, told.length === 0, told.join(' ') || 'nothing told');
      }
    const good = await ask(service.localUrl, '/v1/connections', { headers: headers(PRODUCT) });
    trials.add('the product reads', good.headers['access-control-allow-origin'] === PRODUCT);
    trials.add('without cookies', good.headers['access-control-allow-credentials'] === undefined);
    trials.status(
      'a token that any page may use, on a strange one',
      await ask(service.localUrl, '/v1/connections', { headers: headers(EVIL) }),
      403,
    );
    for (const path of ['/settings/integrations', '/connect/slack?session=x', '/connect/done', '/session?code=x']) {
      const { headers: told } = await ask(service.localUrl, path);
      trials.add(`${path} in a frame`, /frame-ancestors 'none'/.test(String(told['content-security-policy'])), 'not framed');
    }
    return trials.verdict();
  },
};

interface Call {
  readonly as?: string;
  readonly origin?: string;
  readonly method?: string;
  readonly body?: object;
}

async function tokenOf(service: Instance, who: { tenant?: string; user?: string; role?: 'user' | 'admin' }, body: object): Promise<string> {
  const made = await service.as({ user: 'victim', ...who }, '/v1/browser-tokens', { body });
  return (made.json as { token: string }).token;
}

export const attacks: readonly Attack[] = [stolen, hostilePage];
