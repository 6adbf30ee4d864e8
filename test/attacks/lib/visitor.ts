import { ask, type Answer } from './request';

/** A browser as far as the service is concerned: cookies by origin, redirects by hand. */
export class Visitor {
  private readonly jars = new Map<string, Map<string, string>>();

  async go(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer & { readonly location?: string }> {
    const { origin, pathname, search } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await ask(origin, pathname + search, { headers: { ...(cookie && { cookie }), ...headers } });
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
