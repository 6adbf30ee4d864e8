import { parseFlatForm } from '../form-body';
import type { SandboxContext } from '../sandbox-context';
import type { ProviderSurface } from '../sandbox.types';
import { TokenStore } from '../token-store';
import { SlackApi } from './slack.api';
import { SlackOAuth } from './slack.oauth';
import type { SlackState } from './slack.state';
import { SlackWorld } from './slack.world';

/** The pretend Slack: its data, its tokens, its HTTP surface. */
export class SlackSandbox {
  readonly tokens: TokenStore;
  readonly world: SlackWorld;
  readonly oauth: SlackOAuth;
  readonly surface: ProviderSurface;

  constructor(
    context: SandboxContext,
    readonly state: SlackState,
  ) {
    this.tokens = new TokenStore(state.tokens, context.now, context.changed);
    this.world = new SlackWorld(context, state, (teamId) => this.tokens.activeGrants(teamId).length > 0);
    this.oauth = new SlackOAuth(context, this.world, this.tokens);
    const api = new SlackApi(context, this.world, this.oauth, this.tokens);
    this.surface = api.surface([...this.oauth.routes(), ...api.routes()], parseFlatForm);
  }
}
