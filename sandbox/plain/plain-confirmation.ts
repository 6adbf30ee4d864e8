import { createHmac } from 'node:crypto';
import type { PlainWebhooks } from '../../src/integrations/providers/plain/plain-provider';
import { put, type Json } from './pointed';
import type { PlainWorld } from './plain-world';

type CallScheme = Extract<PlainWebhooks['scheme'], { kind: 'call' }>;

/** The headers of a delivery that only the provider itself can verify. */
export function confirmableHeaders(scheme: CallScheme, { secret, body, at }: { secret: string; body: string; at: number }) {
  const headers: Record<string, string> = {};
  for (const value of Object.values(scheme.body)) {
    const [, name] = /^\{header:([\w-]+)\}$/.exec(value) ?? [];
    if (name !== undefined) headers[name] = 'example-1';
  }
  headers[scheme.timestamp] = new Date(at).toISOString();
  if (scheme.keyAddress) headers[scheme.keyAddress.header] = `https://${scheme.keyAddress.hosts[0]?.replace('*', 'api')}/certs/1`;
  headers[scheme.header] = signatureOf({ secret, time: headers[scheme.timestamp] ?? '', body });
  return headers;
}

/** The answer to who asks whether a delivery is genuine; undefined where something else is asked. */
export function confirmation(
  { declaration }: PlainWorld,
  { method, path, text }: { method: string; path: string; text: string },
): { status: number; body: Json } | undefined {
  const scheme = declaration.webhooks?.scheme;
  if (scheme?.kind !== 'call' || method !== 'POST' || path !== scheme.path) return undefined;
  const fields = JSON.parse(text) as Record<string, unknown>;
  const fieldOf = (what: string) => Object.entries(scheme.body).find(([, value]) => value === what)?.[0] ?? '';
  const told = (what: string) => String(fields[fieldOf(what)] ?? '');
  // As it was delivered, to the byte: it stands last.
  const start = `${JSON.stringify(fieldOf('{body}'))}:`;
  const body = text.slice(text.indexOf(start) + start.length, -1);
  const wanted = signatureOf({ secret: told('{secret}'), time: told(`{header:${scheme.timestamp}}`), body });
  const isGood = told(`{header:${scheme.header}}`) === wanted;
  return { status: 200, body: put({}, scheme.good.at, isGood ? scheme.good.is : 'FAILURE') };
}

function signatureOf({ secret, time, body }: { secret: string; time: string; body: string }): string {
  return createHmac('sha256', secret).update(`${time}|${body}`).digest('base64');
}
