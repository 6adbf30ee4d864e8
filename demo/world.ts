import { ApiClient, Browser, until, type Answer } from './http-client';

/** Who takes part in the demo, and where each is reached. Every step asks over HTTP: the product's API or the sandbox's control API. */
export interface World {
  readonly serviceUrl: string;
  readonly controlUrl: string;
  readonly user: ApiClient;
  readonly admin: ApiClient;
  readonly browser: Browser;
  readonly control: SandboxClient;
  /** Connection ids by provider, filled by the first steps. */
  readonly connections: Map<string, string>;
}

export interface LedgerEntry {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'request' | 'delivery';
  readonly provider: string;
  readonly endpoint: string;
  readonly status: number | null;
  readonly durationMs?: number;
  readonly idempotencyKey?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The sandbox's control API: what the pretend providers saw, and what is to go wrong. */
export class SandboxClient {
  constructor(private readonly origin: string) {}

  async ledger(query: {
    provider?: string;
    endpoint?: string;
    kind?: 'request' | 'delivery';
    since?: number;
  }): Promise<readonly LedgerEntry[]> {
    const search = new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]));
    return ((await this.call('GET', `/ledger?${search.toString()}`)) as { entries: LedgerEntry[] }).entries;
  }

  async lastSeq(): Promise<number> {
    return ((await this.call('GET', '/ledger?limit=1')) as { lastSeq: number }).lastSeq;
  }

  async state(): Promise<SandboxState> {
    return (await this.call('GET', '/state')) as SandboxState;
  }

  post(path: string, body: unknown): Promise<unknown> {
    return this.call('POST', path, body);
  }

  async clearFaults(): Promise<void> {
    await this.call('DELETE', '/faults');
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const json: unknown = await response.json();
    if (!response.ok) throw new Error(`the sandbox refused ${method} ${path.split('?')[0]}: ${JSON.stringify(json).slice(0, 200)}`);
    return json;
  }
}

/** The part of the sandbox's state that the demo reads: by provider, then by account. */
export type SandboxState = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** The one account that the demo has at a provider. */
export async function accountState(world: World, provider: string, account: string): Promise<Readonly<Record<string, unknown>>> {
  const state = (await world.control.state())[provider]?.[account];
  if (!state) throw new Error(`the sandbox knows no account ${account} at ${provider}`);
  return state;
}

export function connectionPath(world: World, provider: string, rest = ''): string {
  const id = world.connections.get(provider);
  if (!id) throw new Error(`${provider} is not connected`);
  return `/v1/connections/${id}${rest}`;
}

/** A member of a JSON answer, as text. */
export function member(answer: Answer, name: string): string {
  const body = answer.body as Record<string, unknown> | null;
  return String(body?.[name]);
}

/** The last run of a connection, once it has ended. */
export async function finishedRun(world: World, provider: string, runId?: string): Promise<Record<string, unknown> | undefined> {
  const runs = () =>
    world.user.get(connectionPath(world, provider, '/syncs')).then((answer) => (answer.body as { data: Record<string, unknown>[] }).data);
  const pick = (list: Record<string, unknown>[]) => (runId ? list.find((run) => run.id === runId) : list[0]);
  const ended = (run: Record<string, unknown> | undefined) => run !== undefined && !['queued', 'running'].includes(String(run.status));
  return pick(await until(runs, (list) => ended(pick(list)), 60_000));
}

/** Every live record of a resource, read through the change feed page by page. */
export async function readRecords(world: World, provider: string, resource: string): Promise<Record<string, unknown>[]> {
  const live = new Map<string, Record<string, unknown>>();
  let cursor = '';
  for (let page = 0; page < 1_000; page++) {
    const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : '';
    const answer = await world.user.get(connectionPath(world, provider, `/records/${resource}${query}`));
    if (answer.status !== 200) throw new Error(`reading ${resource} was answered ${answer.status}`);
    const { data, nextCursor } = answer.body as {
      data: { id: string; data: Record<string, unknown>; deleted: boolean }[];
      nextCursor: string | null;
    };
    for (const record of data) {
      if (record.deleted) live.delete(record.id);
      else live.set(record.id, record.data);
    }
    if (data.length === 0 || nextCursor === null) return [...live.values()];
    cursor = nextCursor;
  }
  throw new Error(`the feed of ${resource} does not end`);
}
