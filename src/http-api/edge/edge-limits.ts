import { isIPv6 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import type { Principal } from '../principal/principal';
import { RequestLimiter } from './request-limiter';

/** Refused tokens that one address may show: enough for a clumsy client, hopeless for guessing. */
const REFUSALS = { perSecond: 1, burst: 100 };
/** Of the API and of webhooks one address may send this many times what one caller may: a backend speaks for many users from one. */
const CALLERS_AT_AN_ADDRESS = 50;

/**
 * Who may ask how often. A signed-in caller has a bucket of its own, so that a backend that speaks for many users from one
 * address is not one caller; everybody else is known by address. What is sent to the API and to webhooks
 * is bounded by address too, far higher, before it is known who sends it.
 */
@Injectable()
export class EdgeLimits {
  private readonly callers: RequestLimiter;
  private readonly addresses: RequestLimiter;
  private readonly arrivals: RequestLimiter;
  private readonly refusals = new RequestLimiter(REFUSALS);

  constructor(@Inject(SETTINGS) settings: Settings) {
    const limits = { perSecond: settings.requestsPerSecond, burst: settings.requestsPerSecond * 2 };
    this.callers = new RequestLimiter(limits);
    this.addresses = new RequestLimiter(limits);
    this.arrivals = new RequestLimiter({
      perSecond: limits.perSecond * CALLERS_AT_AN_ADDRESS,
      burst: limits.burst * CALLERS_AT_AN_ADDRESS,
    });
  }

  /** @throws IntegrationError `too_many_requests` */
  countCaller(caller: Principal): void {
    refuseAfter(this.callers.take(JSON.stringify([caller.tenant, caller.userId])));
  }

  /** @throws IntegrationError `too_many_requests` */
  countAddress(address: string): void {
    refuseAfter(this.addresses.take(networkOf(address)));
  }

  /** For the API and webhooks, before it is known who sends. @throws IntegrationError `too_many_requests` */
  countArrival(address: string): void {
    refuseAfter(this.arrivals.take(networkOf(address)));
  }

  /** Counts a refused token. A good one is let through all the same: an address shared by many is not shut out by one of them. */
  countRefusal(address: string): void {
    refuseAfter(this.refusals.take(networkOf(address)));
  }
}

/** Whose address it is: with IPv6 whoever has one has the other 2^64 of its network too. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  // The URL parser writes every spelling of an address in one way (RFC 5952), without a zone.
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(plain) ?? [];
  if (high !== undefined && low !== undefined)
    return [high, low].flatMap((part) => [parseInt(part, 16) >> 8, parseInt(part, 16) & 255]).join('.');
  const [head = [], tail = []] = plain.split('::').map((half) => half.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function refuseAfter(waitMs: number): void {
  if (waitMs > 0) throw new IntegrationError('too_many_requests', { retryAfterMs: waitMs });
}
