import { formOn } from '../../demo/http-client';
import type { TestApp } from './test-app';

export interface Change {
  readonly id: string;
  readonly data: unknown;
  readonly deleted: boolean;
}

export interface RunView {
  readonly id: string;
  readonly type: string;
  readonly trigger: string;
  readonly status: string;
  readonly error: { readonly code?: string } | null;
  /** What does not have its declared shape. */
  readonly shapeErrors: readonly unknown[];
}

export interface CallOptions {
  /** Instead of the browser's own. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PATIENCE_MS = 20_000;

/** A person's browser and the product's backend in one: follows redirects with its cookies, and calls the API with its token. */
export class Browser {
  private readonly cookies = new Map<string, string>();

  constructor(
    private readonly app: TestApp,
    private readonly token: string,
    /** Takes the text of every answer of the service. */
    private readonly seen: string[] = [],
  ) {}

  async api<T>(
    method: string,
    path: string,
    body?: unknown,
    { token = this.token, headers = {} }: CallOptions = {},
  ): Promise<{ status: number; body: T; headers: Headers }> {
    const answer = await fetch(`${this.app.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    this.seen.push(text);
    return { status: answer.status, body: (text === '' ? undefined : JSON.parse(text)) as T, headers: answer.headers };
  }

  async asAdmin<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    return this.api<T>(method, path, body, { token: await this.app.tokenFor({ tenant: 'acme', user: 'root', role: 'admin' }) });
  }

  /** Goes through the consent page, with the given fields on it. @returns where the browser ends up */
  async connect(provider: string, consent: Readonly<Record<string, string>> = {}, request: object = {}): Promise<URL> {
    const { body } = await this.api<{ connectUrl: string }>('POST', '/v1/connect-sessions', {
      provider,
      returnTo: `${this.app.url}/landed`,
      ...request,
    });
    const authorize = new URL(await this.pressConnect(body.connectUrl));
    for (const [name, value] of Object.entries(consent)) authorize.searchParams.set(name, value);
    return new URL(await this.follow(await this.follow(authorize.href)));
  }

  /** Waits for the newest such run to end well. */
  async synced(connectionId: string, wanted: (run: RunView) => boolean): Promise<RunView> {
    return this.eventually(async () => {
      const { body } = await this.api<{ data: RunView[] }>('GET', `/v1/connections/${connectionId}/syncs`);
      const run = body.data.find(wanted);
      if (run?.status === 'failed' || run?.status === 'cancelled')
        throw new Error(`The run ended as ${run.status}: ${JSON.stringify(run)}`);
      return run?.status === 'succeeded' ? run : undefined;
    });
  }

  /** The change feed to its end: living ids, all changes, and the cursor for what comes next. */
  async records(connectionId: string, resource: string, from?: string): Promise<{ ids: string[]; changes: Change[]; nextCursor: string }> {
    const changes: Change[] = [];
    let cursor = from;
    for (;;) {
      const query = new URLSearchParams({ limit: '1000', ...(cursor === undefined ? {} : { cursor }) });
      const { body } = await this.api<{ data: Change[]; nextCursor: string }>(
        'GET',
        `/v1/connections/${connectionId}/records/${resource}?${query.toString()}`,
      );
      changes.push(...body.data);
      cursor = body.nextCursor;
      if (body.data.length === 0) break;
    }
    const last = new Map(changes.map((change) => [change.id, change]));
    return { ids: [...last.values()].filter((change) => !change.deleted).map(({ id }) => id), changes, nextCursor: cursor };
  }

  async eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > until) throw new Error('It did not come to pass in time.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The connect page and its button. @returns the provider's address */
  private async pressConnect(url: string): Promise<string> {
    const { action, fields } = formOn(await (await this.send(url)).text());
    return this.follow(new URL(action, url).href, { method: 'POST', body: new URLSearchParams(fields) });
  }

  private async send(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers: Record<string, string> = url.startsWith(this.app.url) && cookie !== '' ? { cookie } : {};
    const answer = await fetch(url, { ...init, redirect: 'manual', headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
    return answer;
  }

  /** One redirect. */
  private async follow(url: string, init: RequestInit = {}): Promise<string> {
    const answer = await this.send(url, init);
    const location = answer.headers.get('location');
    if (!location)
      throw new Error(`${new URL(url).pathname} answered ${answer.status} without a redirect: ${(await answer.text()).slice(0, 300)}`);
    return new URL(location, url).href;
  }
}
