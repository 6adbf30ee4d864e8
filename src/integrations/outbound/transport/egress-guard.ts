import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';
import type { Agent, buildConnector } from 'undici';
import { IntegrationError } from '../../../errors';

/** https://www.iana.org/assignments/iana-ipv4-special-registry: what ipaddr.js does not call unicast is not the public internet. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed.kind() === 'ipv4') return true;
  // Addresses that carry an IPv4 one inside (NAT64, 6to4, IPv4-compatible) are named by ipaddr.js ranges; the deprecated ::a.b.c.d is not.
  return !(parsed as ipaddr.IPv6).parts.slice(0, 6).every((part) => part === 0);
}

/**
 * Refuses what a configurable address must not be in production: another scheme, credentials in it, a host that is an address
 * inside. The URL parser has turned decimal, octal and hexadecimal forms into dotted ones by now; names are checked when they are resolved.
 * @throws IntegrationError `destination_refused`
 */
export function assertPublicUrl(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused();
  if (url.username || url.password) throw refused();
  if (isIP(host) ? !isPublicAddress(host) : isLocalName(host)) throw refused();
}

function isLocalName(host: string): boolean {
  const name = host.replace(/\.$/, '').toLowerCase();
  return name === 'localhost' || !name.includes('.') || /\.(localhost|local|internal|lan|home|corp)$/.test(name);
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** `dns.lookup` that gives public addresses only. The socket connects to what was checked: a second resolution cannot slip in. */
export function publicLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    // One private address among them is enough to refuse: which one is used is chance.
    if (addresses.length === 0 || addresses.some(({ address }) => !isPublicAddress(address)))
      return callback(refused() as NodeJS.ErrnoException, '');
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
}

export interface AgentOptions {
  /** Only public addresses. */
  readonly guarded: boolean;
  /** Sockets per origin. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a hundred files, loaded by the first that calls out
const undici = () => require('undici') as typeof import('undici');

/** The client that everything outgoing uses: bounded sockets, bounded waits, no redirects; guarded where the address can be chosen. */
export function createAgent(options: AgentOptions): Agent {
  const { Agent, buildConnector } = undici();
  const plain = buildConnector({ timeout: options.connectTimeoutMs, ...(options.guarded && { lookup: publicLookup as never }) });
  const guarded: buildConnector.connector = (target, callback) => {
    // A host that is an address is never looked up.
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) && !isPublicAddress(host)) return callback(refused(), null);
    plain(target, callback);
  };
  return new Agent({
    connect: options.guarded ? guarded : plain,
    connections: options.connections,
    pipelining: 1,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 60_000,
  });
}

function refused(): IntegrationError {
  return new IntegrationError('destination_refused', { notExecuted: true });
}
