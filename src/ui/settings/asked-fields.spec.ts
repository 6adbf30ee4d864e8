import { escapeHtml } from '../../http-api/html';
import { PLAIN_PROVIDERS } from '../../providers';
import { PlainSandbox } from '../../../sandbox/plain/plain-sandbox';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const PAGE = '/settings/integrations';
const HOSTILE = '"><script>alert(1)</script>';

describe('what a provider asks for at the connect, on the page of integrations', () => {
  let sandbox: PlainSandbox;
  let pages: PagesFixture;
  let ada: Visitor;
  beforeAll(async () => {
    sandbox = await PlainSandbox.start(PLAIN_PROVIDERS.filter(({ key }) => ['zendesk', 'datadog', 'twilio', 'paypal'].includes(key)));
    pages = await startPages({ ...sandbox.env(), DATADOG_OFFERED: 'true', TWILIO_OFFERED: 'true', PAYPAL_OFFERED: 'true' });
    ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
  });
  afterAll(async () => {
    await pages.close();
    await sandbox.stop();
  });

  const signIns = () => sandbox.requests.filter(({ what }) => what !== 'api');
  const card = async (key: string) => cardOf((await ada.get(PAGE)).text, key);

  it('is asked before the person is sent there, and leads to the filled in address', async () => {
    expect(await card('zendesk')).toMatch(/<label for="connect-zendesk-subdomain">Subdomain of zendesk.com<\/label>\s*<input[^>]*required/);
    const page = await ada.follow(await ada.post(`${PAGE}/zendesk/connect`, { 'field.subdomain': 'acme' }));
    expect(page.text).toContain('Zendesk is connected.');
    expect(sandbox.requests.filter(({ what }) => what === 'token')).toMatchObject([{ path: 'acme/', status: 200 }]);
  });

  it.each(['', 'evil.com/', 'evil.com#', 'a.b', 'xn--80ak6aa92e', '..', HOSTILE])('refuses %p in place, and keeps it', async (value) => {
    const before = signIns().length;
    const { status, text } = await ada.post(`${PAGE}/zendesk/connect`, { 'field.subdomain': value });
    const shown = cardOf(text, 'zendesk');
    expect([status, shown.includes('<script>')]).toEqual([422, false]);
    expect(shown).toMatch(/aria-invalid="true"|role="alert"/);
    expect(shown).toContain(`value="${escapeHtml(value)}"`);
    expect(signIns()).toHaveLength(before);
  });

  it('keeps what was filled in when a key is refused, and no secret', async () => {
    const sid = `AC${'1'.repeat(32)}`;
    const refused = await ada.post(`${PAGE}/twilio/key`, { 'field.accountSid': sid, apiKey: 'c'.repeat(32) });
    const shown = cardOf(refused.text, 'twilio');
    expect(refused.status).toBe(422);
    expect(shown).toMatch(/class="bad" id="key-twilio-fault" role="alert">[A-Z].*\./);
    expect(shown).toContain(`value="${sid}"`);
    expect(refused.text).not.toContain('c'.repeat(32));
    const withSecret = await ada.post(`${PAGE}/datadog/key`, { 'field.appKey': 'b'.repeat(40), apiKey: 'c'.repeat(32) });
    expect([withSecret.status, withSecret.text.includes('b'.repeat(40))]).toEqual([422, false]);
  });

  it('connects with a key and what belongs to it', async () => {
    const { values, key } = sandbox.world('datadog');
    const asked = Object.fromEntries(Object.entries(values).map(([name, value]) => [`field.${name}`, value]));
    const page = await ada.follow(await ada.post(`${PAGE}/datadog/key`, { ...asked, apiKey: key }));
    expect(page.text).toContain('Datadog is connected.');
  });

  it('connects with a client of one’s own where nobody consents', async () => {
    expect(await card('paypal')).not.toContain('/paypal/connect"');
    const client = { 'field.clientId': 'your-client-id', 'field.clientSecret': 'your-client-secret' };
    expect((await ada.post(`${PAGE}/paypal/key`, { ...client, 'field.clientSecret': 'wrong' })).status).toBe(422);
    expect((await ada.follow(await ada.post(`${PAGE}/paypal/key`, client))).text).toContain('PayPal is connected.');
  });

  it('asks for that client again where its connection needs it, and mends the one connection', async () => {
    const rows = () =>
      pages.dataSource.query<{ id: string; status: string }[]>(`SELECT id, status FROM connections WHERE provider = 'paypal'`);
    const id = (await rows())[0]?.id ?? '';
    await pages.dataSource.query(`UPDATE connections SET status = 'needs_reauth' WHERE provider = 'paypal'`);
    expect(await card('paypal')).toContain(`id="form-key-${id}"`);
    expect(await card('paypal')).not.toContain('/reconnect"');
    const client = { 'field.clientId': 'your-client-id', 'field.clientSecret': 'your-client-secret', again: id };
    expect((await ada.follow(await ada.post(`${PAGE}/paypal/key`, client))).text).toContain('PayPal is connected.');
    expect(await rows()).toEqual([{ id, status: 'connected' }]);
  });

  it('refuses what is not asked', async () => {
    expect((await ada.post(`${PAGE}/zendesk/connect`, { 'field.subdomain': 'acme', scopes: 'admin' })).status).toBe(400);
    const { status, text } = await ada.post(`${PAGE}/zendesk/connect`, { 'field.subdomain': 'acme', 'field.host': 'evil.com' });
    expect(status).toBe(422);
    expect(text).toContain('does not ask for');
  });

  it('asks an administrator who connects for the organization too', async () => {
    const root = await pages.signIn({ tenant: 'acme', user: 'root', role: 'admin' });
    expect(cardOf((await root.get(PAGE)).text, 'zendesk')).toContain('id="connect-zendesk-organization-subdomain"');
    const { status, text } = await root.post(`${PAGE}/zendesk/connect`, {
      owner: 'organization',
      people: 'admins',
      'field.subdomain': '..',
    });
    expect(status).toBe(422);
    expect(cardOf(text, 'zendesk')).toMatch(/<details open>\s*<summary>Connect for the organization/);
  });
});

function cardOf(text: string, provider: string): string {
  return new RegExp(`<li[^>]*id="card-${provider}".*?</li>`, 's').exec(text)?.[0] ?? '';
}
