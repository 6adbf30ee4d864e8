import { formOn } from '../../../demo/http-client';
import { ask, type Answer } from './request';

export type Page = Answer & { readonly location?: string };

/** A browser as far as the service is concerned: cookies by origin, redirects by hand. */
export class Visitor {
  private readonly jars = new Map<string, Map<string, string>>();

  /** Opens a connect link and, where its page asks, presses the button. */
  async pressConnect(url: string): Promise<Page> {
    const page = await this.go(url);
    if (page.status !== 200) return page;
    const { action, fields } = formOn(page.text);
    return this.post(new URL(action, url).href, fields);
  }

  post(url: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    const body = new URLSearchParams(fields).toString();
    return this.go(url, { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body);
  }

  async go(url: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Page> {
    const { origin, pathname, search } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await ask(origin, pathname + search, {
      headers: { ...(cookie && { cookie }), ...headers },
      ...(body !== undefined && { body }),
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const { location } = answer.headers;
    return { ...answer, ...(typeof location === 'string' && { location: new URL(location, url).href }) };
  }

  cookies(origin: string): string {
    return [...(this.jars.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
