import type { components, paths } from '../../client/src/api-types.ts';
import { send } from '../../client/src/send.ts';
import { errorOf } from '../../client/src/trestle-error.ts';
import type { TokenKeeper } from './token-keeper.ts';

type Answer<Path extends keyof paths, Method extends 'get' | 'post'> = paths[Path][Method] extends { responses: infer Responses }
  ? Responses extends { 200: { content: { 'application/json': infer Body } } }
    ? Body
    : Responses extends { 201: { content: { 'application/json': infer Body } } }
      ? Body
      : never
  : never;

export type Connection = Answer<'/v1/connections/{id}', 'get'>;
export type Provider = Answer<'/v1/providers', 'get'>['data'][number];
export type SyncRun = Answer<'/v1/connections/{id}/syncs/{runId}', 'get'>;
export type Problem = components['schemas']['Problem'];

/** The calls that a browser token opens. */
export class Api {
  constructor(
    readonly baseUrl: string,
    private readonly tokens: TokenKeeper,
  ) {}

  async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    let response = await this.send(method, path, body);
    if (response.status === 401) {
      this.tokens.forget();
      response = await this.send(method, path, body);
    }
    const answer = (await response.json().catch(() => undefined)) as T;
    if (!response.ok) throw errorOf(response, answer);
    return answer;
  }

  private send(method: string, path: string, body?: object): Promise<Response> {
    const request = new Request(this.baseUrl + path, {
      method,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      headers: body ? { 'content-type': 'application/json' } : {},
      ...(body && { body: JSON.stringify(body) }),
    });
    return send(request, { token: () => this.tokens.get() });
  }
}
