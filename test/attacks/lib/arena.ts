import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startSandbox, type Sandbox } from '../../../sandbox';
import { atEnd, cleanUp } from '../../faults/lib/clean-up';
import { startInstance, type Instance, type Who } from './instance';
import { Relay } from './relay';
import { lead, type Answer } from './request';
import { overFront, startSandboxFront, type SandboxFront } from './sandbox-front';
import { SANDBOX_CERTIFICATE } from './sandbox-tls';
import { Visitor } from './visitor';

/** Secrets that Stripe rolled from: good beside the new one, and no longer good. */
export const ROLLED_SECRET = `whsec_${randomBytes(24).toString('hex')}`;
export const RETIRED_SECRET = `whsec_${randomBytes(24).toString('hex')}`;

/** Under which the world knows the service in production. */
export const PRODUCT = 'https://product.example.com';
/** The same of the one that all rows are tried on with `--production`. */
const SERVICE = 'https://service.example.com';

const ACCOUNT_FIELD: Readonly<Record<string, string>> = { slack: 'team', stripe: 'account', google: 'login_hint' };

/** What is attacked: one service, the sandbox providers, a relay before Stripe's API. */
export interface Arena {
  readonly sandbox: Sandbox;
  readonly stateFile: string;
  readonly service: Instance;
  readonly relay: Relay;
  /** Started when first asked for: a second service with NODE_ENV=production. */
  production(): Promise<Instance>;
  /** Started when first asked for: the service in production with all that it needs, on TEST_DATABASE_URL and TEST_REDIS_URL where they are set. */
  product(): Promise<Instance>;
  /** Connects an account as a person does. @returns the connection's id; the same one when it is connected already */
  connect(provider: string, who?: Who, account?: string, service?: Instance): Promise<string>;
  /** The way to the provider's consent page. */
  begin(
    provider: string,
    visitor: Visitor,
    who?: Who,
    more?: object,
    service?: Instance,
  ): Promise<{ connectUrl: string; authorizeUrl: URL }>;
  /** The address under which the service reaches what listens on this machine: in production by https, under a name of the world. */
  outside(url: string): string;
  operator(path: string): Promise<Answer>;
  secret(name: string): string;
}

/** @param inProduction what is attacked runs with NODE_ENV=production, on TEST_DATABASE_URL and TEST_REDIS_URL where they are set; else as by default, embedded */
export async function openArena(inProduction: boolean): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), 'trestle-attacks-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const stateFile = join(folder, 'state.json');
  const sandbox = await startSandbox({ autoConsent: 'allow', stateFile });
  atEnd(() => sandbox.stop());
  const relay = await Relay.start(sandbox.urls.stripe);
  atEnd(() => relay.stop());
  const own = sandbox.env();
  const env = {
    ...own,
    STRIPE_API_BASE_URL: `${relay.url}/`,
    STRIPE_WEBHOOK_SECRET: `${own.STRIPE_WEBHOOK_SECRET},${ROLLED_SECRET}`,
    // Everything that is ever said is looked through at the end.
    LOG_LEVEL: 'trace',
  };
  // The attacks on the proxy try what it does with any address, not only with those that a provider names.
  const { service, front } = inProduction
    ? await startInProduction({ sandbox, relay, stateFile }, { ...env, PUBLIC_URL: SERVICE, PROXY: 'any' })
    : { service: await startInstance(env), front: undefined };
  atEnd(() => service.stop());
  sandbox.setWebhookTarget(service.localUrl);
  return new RunningArena(sandbox, stateFile, service, relay, front);
}

/** With all that it needs there: the sandbox providers over https under names of their own. */
async function startInProduction(
  { sandbox, relay, stateFile }: Pick<Arena, 'sandbox' | 'relay' | 'stateFile'>,
  own: Readonly<Record<string, string>> & { readonly PUBLIC_URL: string },
): Promise<{ service: Instance; front: SandboxFront }> {
  const { slack, google } = sandbox.urls;
  const front = await startSandboxFront(
    new Map([
      ['slack', slack],
      ['stripe', relay.url],
      ['google', google],
    ]),
  );
  atEnd(() => front.stop());
  const certificate = join(dirname(stateFile), 'sandbox.pem');
  await writeFile(certificate, SANDBOX_CERTIFICATE);
  const env = {
    ...overFront(overRelay(own, sandbox, relay), front),
    NODE_ENV: 'production',
    NODE_EXTRA_CA_CERTS: certificate,
    LOG_LEVEL: 'trace',
  };
  const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = process.env;
  const service = await startInstance(env, join(__dirname, 'production-service.ts'), databaseUrl ? { databaseUrl, redisUrl } : {});
  for (const name of front.targets.keys()) lead(`https://${name}.sandbox.example:${front.port}`, `${front.targets.get(name)}`);
  return { service, front };
}

/** All of Stripe through the relay. */
function overRelay(env: Readonly<Record<string, string>>, { urls }: Sandbox, relay: Relay): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace(urls.stripe, relay.url)]));
}

export { cleanUp };

class RunningArena implements Arena {
  private inProduction?: Promise<Instance>;
  private inService?: Promise<Instance>;
  private readonly connected = new Map<string, Promise<string>>();

  constructor(
    readonly sandbox: Sandbox,
    readonly stateFile: string,
    readonly service: Instance,
    readonly relay: Relay,
    private readonly front: SandboxFront | undefined,
  ) {}

  production(): Promise<Instance> {
    this.inProduction ??= startInstance(
      {
        ...overHttps(this.sandbox.env()),
        NODE_ENV: 'production',
        PUBLIC_URL: 'https://trestle.example.com',
        LOG_LEVEL: 'trace',
        SLACK_SIGNING_SECRET: '',
        REQUESTS_PER_SECOND: '50',
        // The attacks on the proxy try what it does with any address, not only with those that a provider names.
        PROXY: 'any',
        GOOGLE_PUBSUB_AUDIENCE: '',
        GOOGLE_PUBSUB_EMAIL: '',
      },
      join(__dirname, 'production-service.ts'),
    ).then((instance) => {
      atEnd(() => instance.stop());
      return instance;
    });
    return this.inProduction;
  }

  product(): Promise<Instance> {
    this.inService ??= this.startProduct();
    return this.inService;
  }

  private async startProduct(): Promise<Instance> {
    const { service } = await startInProduction(this, { ...this.sandbox.env(), PUBLIC_URL: PRODUCT });
    atEnd(() => service.stop());
    return service;
  }

  connect(provider: string, who: Who = {}, account?: string, service = this.service): Promise<string> {
    const key = JSON.stringify([service.url, provider, who, account]);
    const id = this.connected.get(key) ?? this.connectAnew(provider, who, account, service);
    this.connected.set(key, id);
    return id;
  }

  async begin(provider: string, visitor: Visitor, who: Who = {}, more: object = {}, service = this.service) {
    const session = await service.as(who, '/v1/connect-sessions', { body: { provider, ...more } });
    const { connectUrl } = session.json as { connectUrl: string };
    const { location, status } = await visitor.pressConnect(connectUrl);
    if (!location) throw new Error(`starting to connect ${provider} was answered ${status}`);
    return { connectUrl, authorizeUrl: new URL(location) };
  }

  outside(url: string): string {
    const { origin, pathname, search } = new URL(url);
    return this.front ? this.front.lead(origin) + pathname + search : url;
  }

  operator(path: string): Promise<Answer> {
    return this.service.as({ tenant: 'operations', user: 'olga', role: 'operator' }, path);
  }

  secret(name: string): string {
    return this.sandbox.env()[name] ?? '';
  }

  private async connectAnew(provider: string, who: Who, account: string | undefined, service: Instance): Promise<string> {
    const visitor = new Visitor();
    const { authorizeUrl } = await this.begin(provider, visitor, who, {}, service);
    if (account) authorizeUrl.searchParams.set(ACCOUNT_FIELD[provider] ?? '', account);
    const allowed = await visitor.go(authorizeUrl.href);
    const landed = await visitor.go(allowed.location ?? '');
    const query = new URL(landed.location ?? 'about:blank').searchParams;
    if (query.get('success') !== provider) throw new Error(`connecting ${provider} came back with ${query.get('error') ?? landed.status}`);
    return query.get('connection') ?? '';
  }
}

/** In production a provider's address is https; what stands behind these is asked for by no attack there. */
function overHttps(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, name.endsWith('_URL') ? value.replace(/^http:/, 'https:') : value]),
  );
}
