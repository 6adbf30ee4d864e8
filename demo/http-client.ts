import { TrestleClient } from '../packages/client/src/index.ts';

const TIMEOUT_MS = 30_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Follows redirects by hand and keeps cookies per origin, as a browser does. */
export class Browser {
  private readonly cookies = new Map<string, Map<string, string>>();

  async get(url: string): Promise<Answer & { location?: string }> {
    return this.send(url, { method: 'GET' });
  }

  /** Opens a connect link and, where its page asks, presses the button. */
  async pressConnect(url: string): Promise<Answer & { location?: string }> {
    const page = await this.get(url);
    if (page.location || page.status !== 200) return page;
    const { action, fields } = formOn(String(page.body));
    return this.postForm(new URL(action, url).href, fields);
  }

  async postForm(url: string, fields: Record<string, string>): Promise<Answer & { location?: string }> {
    return this.send(url, { method: 'POST', body: new URLSearchParams(fields) });
  }

  private async send(url: string, init: RequestInit): Promise<Answer & { location?: string }> {
    const origin = new URL(url).origin;
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: cookie ? { cookie } : {},
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      if (name) jar.set(name, value ?? '');
    }
    const location = response.headers.get('location');
    return {
      status: response.status,
      headers: response.headers,
      body: await readBody(response),
      ...(location ? { location: new URL(location, url).toString() } : {}),
    };
  }
}

/** The form of the connect page: where its button leads, and with what. */
export function formOn(page: string): { action: string; fields: Record<string, string> } {
  const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(page) ?? [];
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  return { action, fields: Object.fromEntries(fields) as Record<string, string> };
}

/** A link that opens the pages for the token's person, once, within a minute: what the product's backend sends its user's browser to. */
export async function signInLinkOf(origin: string, token: string, returnTo?: string): Promise<string> {
  const { url } = await new TrestleClient({ baseUrl: origin, token }).post('/v1/browser-sessions', {
    body: { ...(returnTo && { returnTo }) },
  });
  return url;
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/json/.test(response.headers.get('content-type') ?? '')) return text;
  return JSON.parse(text) as unknown;
}

/** Asks again until `done`, at most `timeoutMs`; the last answer is returned either way. */
export async function until<T>(ask: () => Promise<T>, done: (value: T) => boolean, timeoutMs = 30_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (done(value) || Date.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
