import type { ProviderSettings } from '../../../config/provider-settings';
import { IntegrationError } from '../../../errors';
import { timeOf } from '../../../time-of';
import type { SyncContext, WatchFacts } from '../../contract';
import { textAt, type Sources } from './at';
import { filled, type Values } from './filled-address';
import { PlainAddresses } from './plain-addresses';
import type { PlainProvider, PlainWatch, PlainWatchCall } from './plain-provider';

const HOUR_MS = 3_600_000;

/** Subscriptions, as declared: a call makes one, another lets it go on, a third ends it. */
export function plainWatch(declaration: PlainProvider, watch: PlainWatch, own: ProviderSettings): WatchFacts {
  const addresses = new PlainAddresses(declaration, own);
  const expiring = ({ now }: SyncContext) => ({ expires: new Date(now() + watch.hours * HOUR_MS).toISOString() });
  const ends = (context: SyncContext, from: Sources) => timeIn(textAt(watch.expires, from)) ?? context.now() + watch.hours * HOUR_MS;
  const ask = async (context: SyncContext, { method, path, body }: PlainWatchCall, values: Values): Promise<unknown> => {
    const { connection, fetch, signal } = context;
    const answer = await fetch(addresses.below(path, { ...connection.metadata, ...values }), {
      method,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(filledBody(body, values)) }),
      signal,
    });
    const text = await answer.text();
    return text === '' ? undefined : JSON.parse(text);
  };
  const { renew } = watch;
  return {
    renewBeforeMs: watch.renewBeforeHours * HOUR_MS,
    create: async (context) => {
      const { channelId: channel, token, address } = context;
      const from = { json: await ask(context, watch.create, { channel, token, address, ...expiring(context) }) };
      const refused = textAt(watch.refused, from);
      if (refused !== undefined) throw new IntegrationError('provider_rejected', { provider: declaration.key, detail: `${refused}.` });
      const remoteId = textAt(watch.id, from);
      if (remoteId === undefined) throw new IntegrationError('provider_bad_answer', { provider: declaration.key });
      return { remoteId, expiresAt: ends(context, from) };
    },
    ...(renew && {
      renew: async (context) => {
        const json = await ask(context, renew, { id: context.remoteId, ...expiring(context) });
        return { expiresAt: ends(context, { json }) };
      },
    }),
    stop: async (context) => {
      try {
        await ask(context, watch.stop, { id: context.remoteId });
      } catch (error) {
        if (!(error instanceof IntegrationError && error.code === 'provider_not_found')) throw error;
      }
    },
  };
}

/** The same JSON with its places filled in; a text that is `{#name}` whole becomes a number. */
function filledBody(json: unknown, values: Values): unknown {
  if (Array.isArray(json)) return json.map((each) => filledBody(each, values));
  if (typeof json === 'object' && json !== null)
    return Object.fromEntries(Object.entries(json).map(([name, each]) => [name, filledBody(each, values)]));
  if (typeof json !== 'string') return json;
  const [, number] = /^\{#(\w+)\}$/.exec(json) ?? [];
  return number === undefined ? filled(json, values) : Number(filled(`{${number}}`, values));
}

function timeIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = /^\d+$/.test(text) ? Number(text) : timeOf(text);
  return Number.isFinite(time) ? time : undefined;
}
