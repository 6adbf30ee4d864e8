import OAuth2Strategy, { type StateStore } from 'passport-oauth2';
import { IntegrationError } from '../../errors';
import type { OAuth2Facts } from '../contract';
import { authorizeParamsOf } from './asked-scopes';
import type { TokenAnswer } from '../connections';
import { exchangeCodeWith, type CodeExchange } from './passport-seam';

/** What one flow brings to the strategy. */
export interface OAuth2Flow {
  readonly facts: OAuth2Facts;
  readonly callbackUrl: string;
  readonly scopes?: readonly string[];
  readonly userScopes?: readonly string[];
  /** Stores the flow and gives the state for the provider. */
  saveState(codeVerifier: string | undefined): Promise<string>;
  /** The verifier of the flow whose state has been taken already. */
  readonly codeVerifier?: string;
  exchange(code: string, params: Readonly<Record<string, string>>): Promise<TokenAnswer>;
}

/** passport adds these to a strategy for each request; here they settle a promise. */
interface Outcome {
  success(answer: TokenAnswer): void;
  redirect(url: string): void;
  fail(challenge: unknown, status?: number): void;
  error(error: Error): void;
}

type TokenCallback = (error: unknown, accessToken?: string, refreshToken?: string, answer?: TokenAnswer) => void;

/**
 * `passport-oauth2` for one flow. It builds the authorize address with PKCE and checks the callback; the state store is the
 * flow's own, and the code is exchanged on the governed way out instead of `node-oauth`, which knows no deadline.
 */
class FlowStrategy extends OAuth2Strategy {
  constructor(private readonly flow: OAuth2Flow) {
    super(
      {
        authorizationURL: flow.facts.authorizeUrl,
        tokenURL: flow.facts.tokenUrl,
        clientID: flow.facts.clientId,
        clientSecret: flow.facts.clientSecret,
        // Absolute, so that passport never derives it from the request's Host.
        callbackURL: flow.callbackUrl,
        scope: [...(flow.scopes ?? flow.facts.scopes)],
        scopeSeparator: flow.facts.scopeSeparator,
        pkce: flow.facts.pkce,
        store: storeOf(flow),
        skipUserProfile: true,
      },
      (_accessToken: string, _refreshToken: string, answer: TokenAnswer, _profile: unknown, done: OAuth2Strategy.VerifyCallback) =>
        done(null, answer),
    );
    const exchange = (code: string, params: Record<string, string>, callback: TokenCallback) => {
      flow.exchange(code, params).then(
        // passport wants a token here; a user-only grant has its token elsewhere in the body
        (answer) => callback(null, answer.grants[0]?.accessToken, undefined, answer),
        (error: unknown) => callback(error),
      );
    };
    exchangeCodeWith(this, exchange as CodeExchange);
  }

  override authorizationParams(): Record<string, string> {
    return authorizeParamsOf(this.flow.facts, this.flow.userScopes);
  }
}

/** The address to send the browser to. */
export async function authorizeUrlOf(flow: OAuth2Flow): Promise<string> {
  const outcome = await run(flow, {});
  if ('redirect' in outcome) return outcome.redirect;
  throw new IntegrationError('internal_error');
}

/** Exchanges the code of a callback whose state was found good. */
export async function exchangeCode(flow: OAuth2Flow, code: string): Promise<TokenAnswer> {
  const outcome = await run(flow, { code, state: 'taken' });
  if ('answer' in outcome) return outcome.answer;
  throw new IntegrationError('internal_error');
}

function run(flow: OAuth2Flow, query: Readonly<Record<string, string>>): Promise<{ answer: TokenAnswer } | { redirect: string }> {
  return new Promise((resolve, reject) => {
    const outcome: Outcome = {
      success: (answer) => resolve({ answer }),
      redirect: (url) => resolve({ redirect: url }),
      fail: () => reject(new IntegrationError('connect_state_invalid')),
      error: reject,
    };
    const strategy = Object.assign(Object.create(new FlowStrategy(flow)) as FlowStrategy, outcome);
    strategy.authenticate({ query } as Parameters<FlowStrategy['authenticate']>[0], {});
  });
}

/** passport-oauth2 chooses what it hands over by the number of parameters: five to store with a verifier, four to verify. */
function storeOf(flow: OAuth2Flow): StateStore {
  const store = {
    store(
      _request: unknown,
      verifier: string | undefined,
      _state: unknown,
      _meta: unknown,
      callback: (error: Error | null, state?: string) => void,
    ) {
      flow.saveState(verifier).then((state) => callback(null, state), callback);
    },
    verify(
      _request: unknown,
      _state: string,
      _meta: unknown,
      callback: (error: Error | null, ok: string | boolean, state?: unknown) => void,
    ) {
      callback(null, flow.codeVerifier ?? true);
    },
  };
  return store as unknown as StateStore;
}
