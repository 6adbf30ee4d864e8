import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import type { Principal } from '../principal/principal';
import { ForgedDeliveries } from './forged-deliveries';
import { networkOf } from './network-of';
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
  private readonly forged = new ForgedDeliveries();

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
    // What a page asks for, or who took its token, uses up nothing of what the product's backend may ask for.
    refuseAfter(this.callers.take(JSON.stringify([caller.tenant, caller.userId, caller.viaBrowserToken !== undefined])));
  }

  /** @throws IntegrationError `too_many_requests` */
  countAddress(address: string): void {
    refuseAfter(this.addresses.take(networkOf(address)));
  }

  /** For the API and webhooks, before it is known who sends. @throws IntegrationError `too_many_requests` */
  countArrival(address: string): void {
    refuseAfter(this.arrivals.take(networkOf(address)));
  }

  /** Before the body of a delivery is read. @throws IntegrationError `too_many_requests` for an address that sends too many forged ones, and no good one */
  admitDelivery(address: string): void {
    refuseAfter(this.forged.waitFor(networkOf(address)));
  }

  /** What came of a delivery: whether its signature was good. */
  countDelivery(address: string, isGood: boolean): void {
    this.forged.count(networkOf(address), isGood);
  }

  /** Counts a refused token. A good one is let through all the same: an address shared by many is not shut out by one of them. */
  countRefusal(address: string): void {
    refuseAfter(this.refusals.take(networkOf(address)));
  }
}

function refuseAfter(waitMs: number): void {
  if (waitMs > 0) throw new IntegrationError('too_many_requests', { retryAfterMs: waitMs });
}
