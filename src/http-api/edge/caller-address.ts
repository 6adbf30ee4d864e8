import proxyAddr from '@fastify/proxy-addr';
import type { IncomingMessage } from 'node:http';

export interface CallerAddresses {
  readonly isTrusted: (address: string) => boolean;
  readonly addressOf: (request: IncomingMessage) => string;
}

/** Where a request came from, by the rules of Fastify's `trustProxy`: `X-Forwarded-For` is believed as far as trusted proxies wrote it. */
export function callerAddresses(trustedProxies: readonly string[]): CallerAddresses {
  if (trustedProxies.length === 0) return { isTrusted: () => false, addressOf: (request) => request.socket.remoteAddress ?? '' };
  const trust = proxyAddr.compile([...trustedProxies]);
  return { isTrusted: (address) => trust(address, 0), addressOf: (request) => proxyAddr(request, trust) };
}
