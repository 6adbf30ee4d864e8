import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import type { AppBySecret, Provider } from '../../contract';
import { appJwt } from './app-jwt';
import { TokenEndpoint } from './token-endpoint';

interface Held {
  readonly accessToken: string;
  /** ms since the epoch */
  readonly until: number;
}

/** Where the provider does not say how long a token lasts. */
const UNTOLD_MS = 5 * 60_000;
const AHEAD_MS = 60_000;
const MAX_HELD = 1_000;

/** Tokens of apps themselves, in memory: one is minted anew for nothing but a call, and several of them may be good at once. */
@Injectable()
export class AppTokens {
  private readonly held = new Map<string, Held>();
  private readonly flights = new Map<string, Promise<string>>();

  constructor(
    private readonly endpoint: TokenEndpoint,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * A token that is good now, minted once for all who ask at the same time.
   * @param rejected the one that the provider has just refused
   * @throws IntegrationError `provider_not_configured`: this server has no credentials of the app; `provider_misconfigured`: they are refused
   */
  async tokenOf(provider: Provider, rejected?: string): Promise<string> {
    const { app } = provider;
    if (!app) throw new IntegrationError('provider_not_configured', { provider: provider.key, notExecuted: true });
    if (app.by === 'jwt') return appJwt(app, this.clock.now());
    const key = keyOf(provider.key, app);
    const held = this.held.get(key);
    if (held && held.accessToken !== rejected && held.until - AHEAD_MS > this.clock.now()) return held.accessToken;
    const running = this.flights.get(key);
    if (running) return running;
    const flight = this.mint(provider, app, key).finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private async mint(provider: Provider, { clientId, clientSecret }: AppBySecret, key: string): Promise<string> {
    const { grants, body } = await this.endpoint.mint(provider, { clientId, clientSecret });
    const [grant] = grants;
    if (!grant) throw new IntegrationError('provider_bad_answer', { provider: provider.key, notExecuted: true });
    const told = grant.expiresInS ?? Number((body as { expires_in?: unknown }).expires_in);
    const until = this.clock.now() + (told > 0 ? told * 1_000 : UNTOLD_MS);
    if (this.held.size >= MAX_HELD) this.held.clear();
    this.held.set(key, { accessToken: grant.accessToken, until });
    return grant.accessToken;
  }
}

/** A secret that was changed is another app's, as far as tokens go. */
function keyOf(provider: string, { clientId, clientSecret }: AppBySecret): string {
  return [provider, clientId, createHash('sha256').update(clientSecret).digest('base64url')].join(' ');
}
