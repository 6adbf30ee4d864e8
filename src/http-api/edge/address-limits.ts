import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import type { Principal } from '../principal/principal';
import { RequestLimiter } from './request-limiter';

/** Refused tokens that one address may show: enough for a clumsy client, hopeless for guessing. */
const REFUSALS = { perSecond: 1, burst: 100 };

/**
 * Who may ask how often. A signed-in caller has a bucket of its own, so that a backend that speaks for many users from one
 * address is not one caller; everybody else is known by address. Deliveries of webhooks have the inbox's own bound instead.
 */
@Injectable()
export class EdgeLimits {
  private readonly callers: RequestLimiter;
  private readonly addresses: RequestLimiter;
  private readonly refusals = new RequestLimiter(REFUSALS);

  constructor(@Inject(SETTINGS) settings: Settings) {
    const limits = { perSecond: settings.requestsPerSecond, burst: settings.requestsPerSecond * 2 };
    this.callers = new RequestLimiter(limits);
    this.addresses = new RequestLimiter(limits);
  }

  /** @throws IntegrationError `too_many_requests` */
  countCaller(caller: Principal): void {
    refuseAfter(this.callers.take(JSON.stringify([caller.tenant, caller.userId])));
  }

  /** @throws IntegrationError `too_many_requests` */
  countAddress(address: string): void {
    refuseAfter(this.addresses.take(address));
  }

  /** Counts a refused token. A good one is let through all the same: an address shared by many is not shut out by one of them. */
  countRefusal(address: string): void {
    refuseAfter(this.refusals.take(address));
  }
}

function refuseAfter(waitMs: number): void {
  if (waitMs > 0) throw new IntegrationError('too_many_requests', { retryAfterMs: waitMs });
}
