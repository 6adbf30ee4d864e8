import { formOn, signInLinkOf } from '../../demo/http-client';
import type { Attack } from './lib/attack';
import type { Instance, Who } from './lib/instance';
import { ask } from './lib/request';
import { Trials } from './lib/trials';
import { Visitor } from './lib/visitor';

const MALLORY: Who = { tenant: 'mallory-inc', user: 'mallory' };
const SITES = [undefined, 'cross-site', 'same-site', 'none'] as const;

async function signInLink(service: Instance, who: Who): Promise<string> {
  return signInLinkOf(service.localUrl, await service.token(who));
}

async function connectLink(service: Instance, who: Who, provider = 'slack'): Promise<string> {
  return ((await service.as(who, '/v1/connect-sessions', { body: { provider } })).json as { connectUrl: string }).connectUrl;
}

const from = (site: string | undefined): Record<string, string> =>
  site === undefined ? {} : { 'sec-fetch-site': site, 'sec-fetch-dest': 'document' };

const links: Attack = {
  id: 'A43',
  expected: 'a connect link followed by somebody else: nothing is connected without a page that names the maker, and a POST from it',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    for (const signedInFirst of [false, true])
      for (const site of SITES) {
        const victim = new Visitor();
        if (signedInFirst) await victim.go(await signInLink(service, MALLORY), from(site));
        const page = await victim.go(await connectLink(service, MALLORY), from(site));
        const name = `by links alone${signedInFirst ? ', signed in as the maker by one' : ''}, ${site ?? 'without Sec-Fetch'}`;
        trials.add(name, page.status === 200 && page.location === undefined && page.text.includes('mallory-inc'), `page ${page.status}`);
      }
    for (const destination of ['iframe', 'image', 'object', 'embed', 'empty', 'script'])
      for (const link of [await connectLink(service, MALLORY), await signInLink(service, MALLORY)]) {
        const framed = await new Visitor().go(link, { 'sec-fetch-dest': destination, 'sec-fetch-site': 'cross-site' });
        trials.status(`as ${destination}`, framed, 403);
      }
    const link = await connectLink(service, MALLORY);
    const maker = new Visitor();
    const shown = await maker.go(link);
    trials.add('the page may not be framed', String(shown.headers['content-security-policy']).includes("frame-ancestors 'none'"));
    const { action, fields } = formOn(shown.text);
    // The maker's form, in a hidden frame of the victim's browser.
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, {}, { 'sec-fetch-site': 'cross-site' }]) {
      const victim = new Visitor();
      await victim.go(await connectLink(service, { tenant: 'victim-inc', user: 'vera' })); // has a cookie of its own
      trials.status('the maker’s form', await victim.post(service.url + action, fields, headers as Record<string, string>), 403);
    }
    const list = (await service.as(MALLORY, '/v1/connections')).json as { data: unknown[] };
    trials.add('nothing is connected', list.data.length === 0, `${list.data.length} connections`);
    trials.status('the button itself', await maker.post(service.url + action, fields), 302);
    return trials.verdict();
  },
};

const switching: Attack = {
  id: 'A44',
  expected: 'a link that replaces a session: asks, and changes nothing by itself',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    for (const site of SITES) {
      const victim = new Visitor();
      await victim.go(await signInLink(service, { tenant: 'acme', user: 'vera' }));
      const cookie = victim.cookies(service.url);
      const asked = await victim.go(await signInLink(service, MALLORY), from(site));
      trials.add(
        `followed, ${site ?? 'without Sec-Fetch'}`,
        asked.status === 200 && asked.text.includes('mallory') && victim.cookies(service.url) === cookie,
        `asked ${asked.status}`,
      );
      const code = new URL(await signInLink(service, MALLORY)).searchParams.get('code') ?? '';
      for (const fields of [{ code }, { code, _csrf: 'guess' }] as Record<string, string>[])
        trials.status(
          'its form by another site',
          await victim.post(`${service.url}/session`, fields, { origin: 'https://evil.example' }),
          403,
        );
      trials.status('its form without the token', await victim.post(`${service.url}/session`, { code }), 403);
      const page = await victim.go(`${service.url}/settings/integrations`);
      trials.add('still who it was', page.status === 200 && page.text.includes('vera') && !page.text.includes('mallory'));
    }
    return trials.verdict();
  },
};

const returning: Attack = {
  id: 'A45',
  expected: 'returnTo to our own /session, /connect or /auth, however it is spelt: 400',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const paths = [
      '/session?code=x',
      '/connect/slack?session=x',
      '/auth/slack/callback?code=x&state=y',
      '/SESSION?code=x',
      '/%73ession?code=x',
      '/%2573ession',
      '/x/../connect/slack',
      '/./auth/slack/callback',
      '/x/%2e%2e/connect/slack',
      '/session/',
      '/session;x=1',
      '/connect',
    ];
    for (const path of paths)
      for (const [route, body] of [
        ['/v1/connect-sessions', { provider: 'slack', returnTo: path }],
        ['/v1/connect-sessions', { provider: 'slack', returnTo: service.url + path }],
        ['/v1/browser-sessions', { returnTo: path }],
      ] as const)
        trials.status(`${route} ${JSON.stringify(body)}`, await service.as({}, route, { body }), 400);
    trials.status('an honest one', await service.as({}, '/v1/browser-sessions', { body: { returnTo: '/settings/integrations' } }), 201);
    return trials.verdict();
  },
};

const codes: Attack = {
  id: 'A50',
  expected: 'the sign-in link’s code as a credential of the API: 401; after the logout the cookie is dead',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const link = await signInLink(service, { tenant: 'acme', user: 'vera', role: 'operator' });
    const code = new URL(link).searchParams.get('code') ?? '';
    for (const path of ['/v1/connections', '/v1/admin/queue', '/metrics'])
      for (const headers of [
        { authorization: `Bearer ${code}` },
        { authorization: `Basic ${code}` },
        { 'x-api-key': code },
        { cookie: `__Host-trestle_session=${code}` },
      ])
        trials.status(`${path} with ${Object.keys(headers)[0]}`, await ask(service.url, path, { headers }), 401);
    trials.status('in the address', await ask(service.url, `/v1/connections?code=${code}&token=${code}`), 401);
    trials.status(
      'the pages, with the code as the cookie',
      await ask(service.url, '/admin', { headers: { cookie: `__Host-trestle_session=${code}` } }),
      401,
    );
    const visitor = new Visitor();
    trials.status('the link, once', await visitor.go(link), 303);
    trials.status('the link, twice', await new Visitor().go(link), 401);
    const cookie = visitor.cookies(service.url);
    const page = await visitor.go(`${service.url}/settings/integrations`);
    trials.status('the cookie opens the pages', page, 200);
    trials.status('and not the API', await ask(service.url, '/v1/connections', { headers: { cookie } }), 401);
    const csrf = /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    trials.status('logging out', await visitor.post(`${service.url}/session/logout`, { _csrf: csrf }), 200);
    for (const path of ['/settings/integrations', '/admin'])
      trials.status(`${path} with the old cookie`, await ask(service.url, path, { headers: { cookie } }), 401);
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [links, switching, returning, codes];
