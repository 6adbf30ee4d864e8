import { DataSource } from 'typeorm';
import type { Env } from '../../src/config/env';
import type { Role } from '../../src/http-api/principal/principal';
import { startSandbox, type Sandbox } from '../../sandbox';
import { signInLinkOf } from '../../demo/http-client';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app';

export interface PagesFixture {
  readonly url: string;
  readonly app: TestApp;
  readonly sandbox: Sandbox;
  readonly dataSource: DataSource;
  /** A link that opens a session, as the product would make it. */
  signInLink(who: Person): Promise<string>;
  signIn(who: Person): Promise<Visitor>;
  /** Repeats `look` until it gives something, or fails with `what` after a while. */
  eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T>;
  close(): Promise<void>;
}

export interface Person {
  tenant: string;
  user: string;
  role?: Role;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string;
  readonly headers: Headers;
}

/** The whole service with its pages, on the sandbox providers. */
export async function startPages(settings: Env = {}, imports: TestAppOptions['imports'] = []): Promise<PagesFixture> {
  const sandbox = await startSandbox({});
  const app = await startTestApp({ settings: { ...sandbox.env(), ...settings }, imports });
  sandbox.setWebhookTarget(app.url);
  const signInLink = async (who: Person) => signInLinkOf(app.url, await app.tokenFor(who));
  return {
    url: app.url,
    app,
    sandbox,
    dataSource: app.app.get(DataSource),
    signInLink,
    signIn: async (who) => {
      const visitor = new Visitor(app.url);
      await visitor.get(await signInLink(who));
      return visitor;
    },
    eventually: async (what, look) => {
      for (let tries = 0; tries < 200; tries++) {
        const seen = await look();
        if (seen !== undefined && seen !== false) return seen;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`Not seen in 20 s: ${what}`);
    },
    close: async () => {
      await app.close();
      await sandbox.stop();
    },
  };
}

/** A browser as far as these pages need one: keeps cookies, sends forms, follows where it is told. */
export class Visitor {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly origin: string) {}

  get(path: string): Promise<Answer> {
    return this.send(path, {});
  }

  /** Sends a form with the page's own CSRF token, or with the one that is given. */
  async post(path: string, fields: Readonly<Record<string, string>> = {}, csrfToken?: string): Promise<Answer> {
    const token = csrfToken ?? (await this.csrfToken());
    return this.send(path, { method: 'POST', body: new URLSearchParams({ ...(token && { _csrf: token }), ...fields }) });
  }

  /** Follows redirects, ours and the provider's, until there is a page. */
  async follow(answer: Answer): Promise<Answer> {
    let current = answer;
    for (let hops = 0; hops < 10; hops++) {
      const refresh = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(current.text)?.[1];
      const next = current.location || refresh?.replaceAll('&#38;', '&').replaceAll('&#39;', "'");
      if (!next) break;
      // A browser says so where one of our pages leads on to another.
      current = await this.send(
        next,
        current.location ? {} : { headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'document' } },
      );
    }
    return current;
  }

  async csrfToken(): Promise<string> {
    const { text } = await this.get('/settings/integrations');
    return /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  private async send(path: string, { headers, ...init }: RequestInit & { headers?: Record<string, string> }): Promise<Answer> {
    const url = new URL(path, this.origin);
    const isOurs = url.origin === this.origin;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...headers, ...(isOurs && cookie && { cookie }) },
    });
    if (isOurs) {
      for (const set of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=');
        this.cookies.set(name, value);
      }
    }
    const location = answer.headers.get('location');
    return {
      status: answer.status,
      text: await answer.text(),
      location: location === null ? '' : new URL(location, url).href,
      headers: answer.headers,
    };
  }
}
