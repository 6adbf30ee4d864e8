import { SignJWT } from 'jose';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { signedDelivery } from '../../src/integrations/webhooks/testing';
import { onFreePort } from '../faults/lib/free-port';
import { sleep, until } from '../faults/lib/waiting';
import type { Image } from './build';
import { startIn, tryIn, type ContainerOptions, type Running } from './container';

const STARTS_WITHIN_MS = 180_000;
const ENDS_WITHIN_MS = 25_000;

/** Settings that a deployment brings. */
export interface Deployment {
  readonly env: Readonly<Record<string, string>>;
  readonly jwtSecret: string;
  readonly stripeSecret: string;
}

export function deployment(more: Readonly<Record<string, string>> = {}): Deployment {
  const jwtSecret = randomBytes(32).toString('hex');
  const stripeSecret = `whsec_${randomBytes(24).toString('hex')}`;
  const env = {
    PUBLIC_URL: 'https://integrations.example.com',
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    API_JWT_SECRET: jwtSecret,
    STRIPE_WEBHOOK_SECRET: stripeSecret,
    REQUESTS_PER_SECOND: '100000',
    ...more,
  };
  return { env, jwtSecret, stripeSecret };
}

/** As an orchestrator that is strict runs it: not root, nothing but `/data` can be written. */
export function containerOf({ root, run }: Image, env: Readonly<Record<string, string>>): ContainerOptions {
  return { root, workdir: run.workdir, user: run.user, writable: ['/data'], env: { ...run.env, HOME: '/nonexistent', ...env } };
}

export interface Service extends Running {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a container of the image, and waits until it is ready. */
export function startService(image: Image, { env }: Deployment, command = image.run.command): Promise<Service> {
  return onFreePort(async (port) => {
    const own = { ...env, PORT: String(port) };
    const running = startIn(containerOf(image, own), command);
    const url = `http://127.0.0.1:${port}`;
    let over = false;
    void running.ended.then(() => (over = true));
    const ready = await until(async () => over || (await statusOf(`${url}/health/ready`)) === 200, STARTS_WITHIN_MS, 100);
    if (over && running.said().includes('is taken by another program')) return undefined;
    if (over || ready === undefined) throw new Error(`the service did not start:\n${running.said().slice(-3_000)}`);
    return { ...running, url, env: own };
  });
}

export function healthcheck(image: Image, { env }: Service): number | null {
  return tryIn(containerOf(image, env), image.run.healthcheck).status;
}

export function statusOf(url: string, init?: RequestInit): Promise<number> {
  return fetch(url, { signal: AbortSignal.timeout(10_000), ...init }).then(
    (answer) => answer.arrayBuffer().then(() => answer.status),
    () => 0,
  );
}

/** A signed event of Stripe's. @returns its id where it was acknowledged */
export async function deliver(url: string, { stripeSecret }: Deployment): Promise<string | undefined> {
  const id = `evt_${randomUUID().replaceAll('-', '')}`;
  const body = { id, object: 'event', type: 'charge.succeeded', created: Math.floor(Date.now() / 1_000), data: { object: { id: 'ch_1' } } };
  const { headers, body: bytes } = signedDelivery({ as: 'stripe', secret: stripeSecret, body });
  const status = await statusOf(`${url}/webhooks/stripe`, { method: 'POST', headers: { ...headers }, body: new Uint8Array(bytes) });
  return status === 200 ? id : undefined;
}

/** Status and number of rows of every stored event, by its id; read as an operator. */
export async function storedEvents(url: string, { jwtSecret }: Deployment): Promise<Map<string, string[]>> {
  const token = await new SignJWT({ tenant: 'ops', role: 'operator' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('op')
    .setExpirationTime('10m')
    .sign(Buffer.from(jwtSecret));
  const events = new Map<string, string[]>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = new URLSearchParams({ limit: '1000', ...(cursor && { cursor }) });
    const answer = await fetch(`${url}/v1/admin/webhook-events?${query.toString()}`, { headers: { authorization: `Bearer ${token}` } });
    const page = (await answer.json()) as { data: { eventId: string; status: string }[]; nextCursor: string | null };
    for (const { eventId, status } of page.data) events.set(eventId, [...(events.get(eventId) ?? []), status]);
    cursor = page.nextCursor;
  }
  return events;
}

/** Ends it while deliveries come in. */
export async function stopUnderLoad(service: Service, deployed: Deployment) {
  const acknowledged: string[] = [];
  let over = false;
  const senders = Array.from({ length: 10 }, async () => {
    while (!over) {
      const id = await deliver(service.url, deployed);
      if (id) acknowledged.push(id);
      else await sleep(20);
    }
  });
  await until(() => acknowledged.length > 100, 60_000, 20);
  const began = performance.now();
  const stopped = service.stop();
  const unready = until(async () => over || (await statusOf(`${service.url}/health/ready`)) === 503, ENDS_WITHIN_MS, 20);
  const code = await Promise.race([stopped, sleep(ENDS_WITHIN_MS + 5_000).then(() => -1)]);
  const ms = performance.now() - began;
  over = true;
  await Promise.all(senders);
  const saw503 = (await unready) !== undefined;
  return {
    ok: code === 0 && ms <= ENDS_WITHIN_MS && saw503,
    text: `exit ${code} after ${Math.round(ms)} ms, ready ${saw503 ? '503' : 'NEVER 503'}`,
    acknowledged,
  };
}

/** Of the process that answers: its id in its own namespace, and its user. */
export function identityOf(port: string): { pid: string; uid: string } | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`\0PORT=${port}\0`)) continue;
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? [];
      if (field('Name')[0]?.startsWith('node')) return { pid: field('NSpid').at(-1) ?? '', uid: field('Uid')[1] ?? '' };
    } catch {
      continue; // it ended while we looked
    }
  }
  return undefined;
}
