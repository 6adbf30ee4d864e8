import type { PlainProvider } from './plain-provider';
import { PlainAuthService } from './plain-auth.service';

const API = 'https://api.acme.example/';

const declaration = {
  key: 'acme',
  apiBaseUrl: API,
  account: {
    path: 'accounts',
    id: '/id',
    several: {
      items: '/accounts',
      values: { name: '/id' },
      person: { path: 'me', id: '/id' },
      administered: [
        { at: '/kind', is: 'person', own: '/id' },
        { at: '/kind', is: 'team', path: 'teams/{name}/me', where: { '/role': 'owner' } },
      ],
    },
  },
} as unknown as PlainProvider;

/** An API of these answers, and no others. */
function api(answers: Readonly<Record<string, { json: unknown; next?: string }>>) {
  const asked: string[] = [];
  const fetch = (input: string | URL | Request): Promise<Response> => {
    const path = (input as string).slice(API.length);
    asked.push(path);
    const { json, next } = answers[path]!;
    return Promise.resolve(Response.json(json, { headers: next === undefined ? {} : { link: `<${API}${next}>; rel="next"` } }));
  };
  return { fetch, asked };
}

const identify = ({ fetch }: ReturnType<typeof api>) =>
  new PlainAuthService(declaration, { webhookSecrets: [] }).identify({ fetch, grants: [], tokenBody: {} });
const page = (accounts: readonly { id: string; kind: string }[], next?: string) => ({ json: { accounts }, ...(next && { next }) });

describe('the accounts of one consent', () => {
  it('are found on every page, and those alone that the person administers', async () => {
    const acme = api({
      accounts: page(
        [
          { id: 'ada', kind: 'person' },
          { id: 'bob', kind: 'person' },
          { id: 'seen', kind: 'team' },
        ],
        'accounts?page=2',
      ),
      'accounts?page=2': page([
        { id: 'owned', kind: 'team' },
        { id: 'odd', kind: 'of another kind' },
      ]),
      me: { json: { id: 'ada' } },
      'teams/seen/me': { json: { role: 'member' } },
      'teams/owned/me': { json: { role: 'owner' } },
    });
    const found = [await identify(acme)].flat() as { accountId: string }[];
    expect(found.map(({ accountId }) => accountId)).toEqual(['ada', 'owned']);
  });

  it('are no more than can be asked for one by one', async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ id: `t${index}`, kind: 'team' }));
    const others = many.map(({ id, kind }) => ({ id: `u${id}`, kind }));
    const acme = api({ accounts: page(many, 'accounts?page=2'), 'accounts?page=2': page(others, 'accounts?page=3') });
    await expect(identify(acme)).rejects.toMatchObject({ code: 'connect_failed' });
    expect(acme.asked).toEqual(['accounts', 'accounts?page=2']);
  });
});
