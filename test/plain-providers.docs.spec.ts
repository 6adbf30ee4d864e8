import { providerDocs } from './support/provider-docs';
import { otherGuides, withFacts } from './support/provider-guides';
import { withProviders } from './support/readme-providers';
import { describeStart } from '../src/bootstrap-summary';
import { startTestApp, type TestApp } from './support/test-app';
import { expectWritten } from './support/written-docs';

it('docs/providers.md says what the declarations say', () => expectWritten('docs/providers.md', providerDocs));

it('docs/providers/others.md says what is to be registered for each of them', () => expectWritten('docs/providers/others.md', otherGuides));

describe('what the service has', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ settings: { WORKERS: 'false' } });
  });
  afterAll(() => app.close());

  it('stands in the table of README.md', () => expectWritten('README.md', (readme) => withProviders(readme, app)));

  it.each(['slack', 'stripe', 'google'])('stands in the guide of %s', (key) =>
    expectWritten(`docs/providers/${key}.md`, (guide) => withFacts(guide, key, app)),
  );
});

describe('what the start says of a provider with credentials', () => {
  it.each([
    [
      { SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 's' },
      'Slack: register there: redirect address URL/auth/slack/callback, webhooks URL/webhooks/slack',
    ],
    [
      { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 's' },
      'GitHub: register there: redirect address URL/auth/github/callback, webhooks URL/webhooks/github',
    ],
  ])('%j', async (settings, line) => {
    const publicUrl = 'https://integrations.example.com';
    const app = await startTestApp({ sandbox: false, settings: { ...settings, PUBLIC_URL: publicUrl, WORKERS: 'false' } });
    try {
      expect(describeStart(app.app, app.settings)).toContain(line.replaceAll('URL', publicUrl));
    } finally {
      await app.close();
    }
  });
});
