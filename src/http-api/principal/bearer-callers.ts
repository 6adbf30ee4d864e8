import { Inject, Injectable } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import { EdgeLimits } from '../edge/edge-limits';
import type { EdgeRequest } from '../request';
import { browserTokenIn, BrowserTokens } from '../sessions/browser-tokens';
import type { Principal } from './principal';
import { PRINCIPAL_RESOLVER, type PrincipalResolver, type ResolvedCaller } from './principal-resolver';
import { TokenVerifier } from './token-verifier';

/** Who calls with a bearer token. Asked before the body of an API request is read, and by the guard after it: the token is verified once. */
@Injectable()
export class BearerCallers {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly browserTokens: BrowserTokens,
    private readonly limits: EdgeLimits,
    @Inject(PRINCIPAL_RESOLVER) private readonly resolver: PrincipalResolver | null,
  ) {}

  /** @throws IntegrationError `unauthorized`, `forbidden` for a browser token in a page that it was not made for; `too_many_requests` where this address has shown too many bad tokens */
  async of(request: EdgeRequest): Promise<Principal> {
    if (request.bearer) return request.bearer;
    try {
      const { caller, expiresAt, goesOn } = await this.callerOf(request);
      request.callerEndsAt = expiresAt;
      request.callerGoesOn = goesOn;
      request.bearer = caller;
      return caller;
    } catch (error) {
      if (error instanceof IntegrationError && error.code === 'unauthorized') this.limits.countRefusal(request.ip);
      throw error;
    }
  }

  private async callerOf({ headers }: EdgeRequest): Promise<ResolvedCaller & { goesOn?: () => Promise<boolean> }> {
    // First of all: whatever else a browser sends along, who shows the narrow token gets no more than it opens.
    const token = browserTokenIn(headers.authorization);
    if (token !== undefined) return this.browserTokens.callerOf(token, headers.origin);
    return (await this.resolver?.resolve(headers)) ?? this.verifier.callerOf(headers.authorization);
  }
}
