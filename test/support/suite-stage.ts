import type { PlainProvider } from '../../src/integrations';
import { PLAIN_PROVIDERS } from '../../src/providers';
import type { Forge, ProviderName, Sandbox } from '../../sandbox';
import { deliverEvent } from '../../sandbox/plain/plain-deliveries';
import { PlainSandbox } from '../../sandbox/plain/plain-sandbox';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app';

export type Failure = { readonly kind: 'status'; readonly status: number } | { readonly kind: 'html-200' };

/** The service before a pretend provider, and what the suite does there. */
export interface Stage {
  readonly app: TestApp;
  /** Sends an event of the account, signed or forged. */
  deliver(spec: { copies?: number; forge?: Forge }): Promise<{ byStatus: Record<string, number>; eventIds: string[] }>;
  /** What is changed meanwhile is not told of. */
  silently<T>(change: () => Promise<T> | T): Promise<T>;
  expireTokens(): void;
  /** Grant types of the token calls since tokens were last expired. */
  renewals(): unknown[];
  /** Every call of the API fails so; undefined: no more. */
  fail(failure: Failure | undefined): void;
  /** The next call of this operation is carried out, and its connection cut before the answer. */
  cut(operation: StagedOperation): void;
  /** How often an operation was carried out. */
  made(operation: StagedOperation): number;
  revokeTokens(): void;
  /** The person may connect anew. */
  admitAgain(): void;
  activeGrants(): number;
  /** Path, query and, where it is known, body of every call of the API, in their order. */
  asked(): string[];
  close(): Promise<void>;
}

/** An operation that the suite tries. */
export interface StagedOperation {
  readonly name: string;
  /** Of the pretend provider, where that has names of its own. */
  readonly endpoint: string;
  /** What it does after a doubtful end. */
  readonly repeat: 'none' | 'key' | 'search' | 'idempotent';
  input(stage: Stage): object;
}

export interface StagedSubject {
  readonly key: ProviderName;
  readonly account: string;
  readonly eventType: string;
  readonly tokenEndpoint?: string;
}

/** Before a pretend provider that is written by hand. */
export async function startOnSandbox(subject: StagedSubject, log: TestAppOptions['log']): Promise<Stage> {
  const { key, account, eventType, tokenEndpoint = '' } = subject;
  const app = await startTestApp({ ...(log && { log }) });
  const { control }: Sandbox = app.sandbox;
  let expiredAt = 0;
  return {
    app,
    deliver: (spec) => control.deliver({ provider: key, type: eventType, account, ...spec }),
    silently: async (change) => {
      app.sandbox.setWebhookTarget('');
      try {
        return await change();
      } finally {
        app.sandbox.setWebhookTarget(app.url);
      }
    },
    expireTokens: () => {
      control.expireTokens(key, account);
      expiredAt = control.lastSeq;
    },
    renewals: () =>
      control.ledger({ kind: 'request', endpoint: tokenEndpoint, since: expiredAt }).map(({ detail }) => detail?.['grantType']),
    fail: (failure) => void (failure ? control.addFault({ ...failure, provider: key }) : control.clearFaults()),
    cut: ({ endpoint }) => void control.addFault({ kind: 'reset-after', provider: key, endpoint, count: 1 }),
    // A repetition with the provider's key is the same.
    made: ({ endpoint }) =>
      new Set(
        control
          .ledger({ kind: 'request', provider: key, endpoint })
          .filter(({ applied }) => applied)
          .map(({ idempotencyKey, seq }) => idempotencyKey ?? seq),
      ).size,
    revokeTokens: () => void control.revokeTokens(key, account),
    admitAgain: () => undefined,
    activeGrants: () => Number((control.state()[key]?.[account] as { activeGrants?: number } | undefined)?.activeGrants),
    asked: () => control.ledger({ kind: 'request', provider: key }).map(({ path = '' }) => path),
    close: () => app.close(),
  };
}

export interface PlainStage extends Stage {
  readonly sandbox: PlainSandbox;
}

/** Before a pretend provider that is derived from the declaration. */
export async function startOnPlainSandbox({ key, eventType }: StagedSubject, log?: TestAppOptions['log']): Promise<PlainStage> {
  const declaration = PLAIN_PROVIDERS.find((each) => each.key === key) as Omit<PlainProvider, 'limits'> & {
    limits?: PlainProvider['limits'];
  };
  const { limits } = declaration;
  // Held to by tests of their own: ten calls a minute, as some lists allow, are not waited for.
  if (limits) declaration.limits = Object.fromEntries(Object.entries(limits).map(([name, each]) => [name, { ...each, burst: 10_000 }]));
  const sandbox = await PlainSandbox.start([declaration]);
  const app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000' }, ...(log && { log }) });
  const world = sandbox.world(key);
  let expiredAt = 0;
  return {
    app,
    sandbox,
    deliver: (spec) => deliverEvent(world, app.url, { type: eventType, ...spec }),
    silently: async (change) => change(),
    expireTokens: () => {
      sandbox.expireTokens(key);
      expiredAt = sandbox.requests.length;
    },
    renewals: () =>
      sandbox.requests
        .slice(expiredAt)
        .filter(({ what }) => what === 'token')
        .map(({ grantType }) => grantType),
    fail: (failure) => {
      const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><body>Hello</body></html>' };
      sandbox.answerAll(key, failure && (failure.kind === 'status' ? { status: failure.status, body: {} } : html));
    },
    cut: () => sandbox.cutNext(key),
    made: ({ name }) => world.made.filter(({ operation }) => operation === name).length,
    revokeTokens: () => sandbox.revokeTokens(key),
    admitAgain: () => sandbox.admitAgain(key),
    activeGrants: () => world.grants.filter(({ revoked }) => !revoked).length,
    asked: () => sandbox.requests.filter(({ what }) => what === 'api').map(({ path, query, text }) => path + query + text),
    close: async () => {
      await app.close();
      await sandbox.stop();
      Object.assign(declaration, { limits });
    },
  };
}
