import { randomUUID } from 'node:crypto';
import type { PlainProvider, PlainResource, PlainWatchCall } from '../../src/integrations/providers/plain/plain-provider';
import type { PlainWorld } from './plain-world';
import { firstOf, put, type Json } from './pointed';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly text: string;
  readonly account: string;
}

/** Makes a watch, lets it go on or ends it; undefined where the call is none of these. */
export async function watchCall(world: PlainWorld, call: Call): Promise<{ status: number; body?: unknown } | undefined> {
  for (const { name, watch } of world.declaration.resources ?? []) {
    if (!watch) continue;
    const made = filledBy(watch.create, call);
    // Of several lists one call may differ from the next only in what it says.
    if (made) return madeHere(world, { resource: name, account: call.account, watch, told: made });
    const renewed = watch.renew && filledBy(watch.renew, call);
    if (renewed) return { status: 200, body: renewedHere(world, watch, renewed) };
    const stopped = filledBy(watch.stop, call);
    if (stopped) return { status: world.watches.delete(stopped['id'] ?? '') ? 204 : 404 };
  }
  return undefined;
}

async function madeHere(
  world: PlainWorld,
  {
    resource,
    account,
    watch,
    told,
  }: { resource: string; account: string; watch: NonNullable<PlainResource['watch']>; told: Record<string, string> },
): Promise<{ status: number; body: unknown }> {
  const { address = '', channel, token } = told;
  if (!(await isOurs(world.declaration, address))) return { status: 400, body: { message: 'The address did not answer.' } };
  const id = watch.stop.body && JSON.stringify(watch.stop.body).includes('{#id}') ? String(1000 + world.watches.size) : randomUUID();
  const expires = told['expires'] ?? new Date(Date.now() + watch.hours * 3_600_000).toISOString();
  world.addWatch({
    id,
    resource,
    account,
    address,
    expires,
    ...(channel !== undefined && { channel }),
    ...(token !== undefined && { token }),
  });
  return { status: 201, body: put(endIn(watch, expires), firstOf(watch.id) ?? '/id', /^\d+$/.test(id) ? Number(id) : id) };
}

function renewedHere(world: PlainWorld, watch: NonNullable<PlainResource['watch']>, { id = '', expires }: Record<string, string>): Json {
  const here = world.watches.get(id);
  const until = expires ?? new Date(Date.now() + watch.hours * 3_600_000).toISOString();
  if (here) here.expires = until;
  return endIn(watch, until);
}

function endIn({ expires }: NonNullable<PlainResource['watch']>, until: string): Json {
  const place = firstOf(expires);
  return place === undefined ? {} : put({}, place, until);
}

/** Asks the address whether it is the service's, where the declaration says how. */
async function isOurs({ webhooks }: PlainProvider, address: string): Promise<boolean> {
  const place = firstOf(webhooks?.challenge?.at);
  if (!place?.startsWith('query:')) return true;
  const url = new URL(address);
  const word = `Validation: ${randomUUID()}`;
  url.searchParams.set(place.slice(6), word);
  try {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' } });
    return answer.status === 200 && (await answer.text()) === word;
  } catch {
    return false; // nobody listens there any more
  }
}

/** What stands at the places of a declared call; undefined where it is another one. */
function filledBy({ method, path, body }: PlainWatchCall, call: Call): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  if (method !== call.method || !fits(path, call.path, found)) return undefined;
  if (body === undefined) return found;
  try {
    return sameBut(body, JSON.parse(call.text), found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function sameBut(wanted: unknown, given: unknown, found: Record<string, string>): boolean {
  if (typeof wanted === 'string' && typeof given === 'number') return fits(wanted.replace('{#', '{'), String(given), found);
  if (typeof wanted === 'string') return typeof given === 'string' && fits(wanted, given, found);
  if (typeof wanted !== 'object' || wanted === null || typeof given !== 'object' || given === null) return wanted === given;
  return Object.entries(wanted).every(([name, each]) => sameBut(each, (given as Json)[name], found));
}

/** One place fills the rest up to what follows it. */
function fits(wanted: string, given: string, found: Record<string, string>): boolean {
  const names = [...wanted.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const literal = wanted.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const match = new RegExp(`^${literal.join('(.+?)')}$`).exec(given);
  names.forEach((name, at) => match?.[at + 1] !== undefined && (found[name] = match[at + 1] as string));
  return match !== null;
}
