import createFetchClient, { type Client, type ClientPathsWithMethod, type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch';
import type { paths } from './api-types.ts';
import { connectionEvents, type ConnectionEvent, type EventOptions } from './events.ts';
import { changes, type Change, type RecordOptions } from './records.ts';
import { send, type SendOptions } from './send.ts';
import { errorOf } from './trestle-error.ts';

export interface TrestleClientOptions extends SendOptions {
  /** Where Trestle is reached, e.g. `https://integrations.example.com`. */
  readonly baseUrl: string;
}

type Media = `${string}/${string}`;
type Verb = 'get' | 'post' | 'patch' | 'delete';
type PathOf<Method extends Verb> = ClientPathsWithMethod<Client<paths>, Method>;

/** Parameters, body and headers of a call, as the description has them; none where it asks for none. */
export type CallInit<Path extends keyof paths, Method extends Verb> =
  Record<never, never> extends MaybeOptionalInit<paths[Path], Method>
    ? [init?: MaybeOptionalInit<paths[Path], Method>]
    : [init: MaybeOptionalInit<paths[Path], Method>];

/** The body of the good answer. */
export type Answer<Path extends keyof paths, Method extends Verb> = paths[Path][Method] extends infer Operation extends Record<
  string | number,
  unknown
>
  ? NonNullable<FetchResponse<Operation, object, Media>['data']>
  : never;

type Call<Method extends Verb> = <Path extends PathOf<Method>>(
  path: Path,
  ...init: CallInit<Path, Method>
) => Promise<Answer<Path, Method>>;

/**
 * Trestle, as one user (or admin) of one organization: the token says which.
 *
 * `get`, `post`, `patch` and `delete` resolve with the body of the answer and throw a `TrestleError` for any other; what is safe to
 * repeat is repeated until `deadlineMs`. `raw` is the same without throwing, and gives the response.
 */
export class TrestleClient {
  readonly raw: Client<paths>;
  readonly get = this.calling('GET') as Call<'get'>;
  readonly post = this.calling('POST') as Call<'post'>;
  readonly patch = this.calling('PATCH') as Call<'patch'>;
  readonly delete = this.calling('DELETE') as Call<'delete'>;
  private readonly options: TrestleClientOptions;

  constructor(options: TrestleClientOptions) {
    this.options = { ...options, baseUrl: options.baseUrl.replace(/\/+$/, '') };
    this.raw = createFetchClient<paths>({ baseUrl: this.options.baseUrl, fetch: (request) => send(request, this.options) });
  }

  /**
   * What changed in a resource, from the start or since `cursor`, until nothing newer is there. Keep the `cursor` of the last change that
   * was dealt with and come back with it: nothing is skipped, and at most one page comes again.
   *
   * @throws TrestleError `cursor_expired`: read from the start
   */
  records(connectionId: string, resource: string, options: RecordOptions = {}): AsyncGenerator<Change, void> {
    const path = { id: connectionId, resource };
    return changes((query, signal) => this.get('/v1/connections/{id}/records/{resource}', { params: { path, query }, signal }), options);
  }

  /** What happens on a connection, as it happens: comes back by itself, and ends when the connection does or `signal` says so. */
  events(connectionId: string, options: EventOptions = {}): AsyncGenerator<ConnectionEvent, void> {
    return connectionEvents(`${this.options.baseUrl}/v1/connections/${encodeURIComponent(connectionId)}/events`, this.options, options);
  }

  private calling(method: 'GET' | 'POST' | 'PATCH' | 'DELETE') {
    return async (path: string, init?: object): Promise<unknown> => {
      const call = this.raw[method] as unknown as (path: string, init?: object) => Promise<FetchResponse<object, object, Media>>;
      const { data, error, response } = await call(path, init);
      if (!response.ok) throw errorOf(response, error);
      return data;
    };
  }
}
