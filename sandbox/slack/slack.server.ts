import { parseFlatForm } from '../form-body';
import { digits, secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import { viewByAccount, type EventSpec, type MintSpec, type RunningProvider, type SandboxProvider } from '../sandbox-provider';
import type { Json, ProviderSurface } from '../sandbox.types';
import { TokenStore } from '../token-store';
import type { Delivery } from '../webhook-sender';
import { SlackApi } from './slack.api';
import { changeChannel, changeUser, DEFAULT_TEAM, writeMessage } from './slack.changes';
import { appTokenOf } from './slack.app-token';
import { SlackOAuth } from './slack.oauth';
import { emptySlackState, type SlackState } from './slack.state';
import { slackView } from './slack.view';
import { SlackWorld } from './slack.world';

const DEFAULT_SCOPES = ['chat:write', 'channels:read', 'groups:read', 'channels:history', 'users:read', 'users:read.email', 'team:read'];

/** The pretend Slack: its data, its tokens, its HTTP surface. */
export class SlackSandbox implements RunningProvider {
  readonly tokens: TokenStore;
  readonly world: SlackWorld;
  readonly oauth: SlackOAuth;
  readonly surface: ProviderSurface;
  readonly events = ['message', 'channel_rename', 'user_change', 'app_uninstalled', 'url_verification', '/hello', 'block_actions'];
  readonly changes: RunningProvider['changes'] = {
    channels: (change) => changeChannel(this.world, change),
    users: (change) => changeUser(this.world, change),
    messages: (change) => writeMessage(this.world, change),
  };

  constructor(
    private readonly context: SandboxContext,
    readonly state: SlackState,
  ) {
    this.tokens = new TokenStore(state.tokens, context.now, context.changed);
    this.world = new SlackWorld(context, state, (teamId) => this.tokens.activeGrants(teamId).length > 0);
    this.oauth = new SlackOAuth(context, this.world, this.tokens);
    const api = new SlackApi(context, this.world, this.oauth, this.tokens);
    this.surface = api.surface([...this.oauth.routes(), ...api.routes()], parseFlatForm);
  }

  settings(url: string): Record<string, string> {
    const { clientId, clientSecret, webhookSecret } = this.context.secrets;
    return {
      SLACK_CLIENT_ID: clientId,
      SLACK_CLIENT_SECRET: clientSecret,
      SLACK_SIGNING_SECRET: webhookSecret,
      SLACK_APP_TOKEN: appTokenOf(webhookSecret),
      SLACK_AUTHORIZE_URL: `${url}/oauth/v2/authorize`,
      SLACK_TOKEN_URL: `${url}/api/oauth.v2.access`,
      SLACK_REVOKE_URL: `${url}/api/apps.uninstall`,
      SLACK_API_BASE_URL: `${url}/api/`,
    };
  }

  deliver({ type, account, index, payload, sharedWith, forge }: EventSpec): Delivery[] {
    const { world } = this;
    if (type === 'url_verification') return [world.events.urlVerification(forge)];
    if (type.startsWith('/') || INTERACTIONS.has(type)) return [world.events.interaction(account, type, payload ?? {}, forge)];
    const event = { ...world.sampleEvent(world.team(account), type, index), ...payload };
    return [world.events.delivery(account, event, { ...(forge && { forge }), ...(sharedWith && { sharedWith }) })];
  }

  seed(account: string, resource: string, count: number): void {
    this.world.fill(this.world.team(account), resource, count);
  }

  view(): Json {
    return viewByAccount(this.state.teams.values(), (team) => team.id, slackView, this.tokens);
  }

  mint({ account, scopes = DEFAULT_SCOPES, userScopes = [] }: MintSpec & { account: string }): Json {
    return this.oauth.mint(account, scopes, userScopes);
  }

  end(account: string): void {
    this.oauth.endInstallation(account);
  }
}

/** https://docs.slack.dev/reference/interaction-payloads */
const INTERACTIONS = new Set(['block_actions', 'block_suggestion', 'message_action', 'shortcut', 'view_closed', 'view_submission']);

export const slackSandbox: SandboxProvider<SlackState> = {
  name: 'slack',
  defaultAccount: DEFAULT_TEAM,
  deliveryTimeoutMs: 3_000,
  secrets: () => ({
    clientId: `${digits(12)}.${digits(13)}`,
    clientSecret: secretText(32).toLowerCase(),
    webhookSecret: secretText(32).toLowerCase(),
  }),
  emptyState: emptySlackState,
  start: (context, state) => new SlackSandbox(context, state),
};
