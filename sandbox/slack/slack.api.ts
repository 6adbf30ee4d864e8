import { flag, text } from '../form-body';
import { hashPrefix } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Principal, Json, ProviderSurface, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, type Grant, type TokenStore } from '../token-store';
import { refuse, type SlackOAuth } from './slack.oauth';
import { eventAuthorizations } from './slack.app-token';
import { channelView, type SlackChannel, type SlackMessage, type SlackTeam, userView } from './slack.state';
import { listOf, ordered, pageOf } from './slack.paging';
import type { SlackWorld } from './slack.world';

interface Call {
  request: SandboxRequest;
  args: Json;
  token: string;
  grant: Grant;
  team: SlackTeam;
}

interface Method {
  /** One of these is enough. */
  scopes: string[];
  run: (call: Call) => SandboxResponse;
}

const ERRORS_BY_STATUS: Record<number, string> = { 401: 'invalid_auth', 429: 'ratelimited', 503: 'service_unavailable' };
const MAX_TEXT = 40_000;
const CONVERSATION_SCOPES: Record<string, string> = {
  public_channel: 'channels:read',
  private_channel: 'groups:read',
  mpim: 'mpim:read',
  im: 'im:read',
};
const JSON_ARGUMENTS = ['blocks', 'attachments', 'metadata'];

/** The Web API: https://docs.slack.dev/reference/methods */
export class SlackApi {
  private readonly methods: Record<string, Method>;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: SlackWorld,
    private readonly oauth: SlackOAuth,
    private readonly tokens: TokenStore,
  ) {
    const readChannels = ['channels:read', 'groups:read'];
    this.methods = {
      'auth.test': { scopes: [], run: (call) => this.authTest(call) },
      'auth.revoke': { scopes: [], run: ({ request, token, grant }) => this.oauth.revoke(request, token, grant) },
      'apps.uninstall': { scopes: [], run: ({ request, grant }) => this.oauth.uninstall(request, grant) },
      'team.info': {
        scopes: ['team:read'],
        run: ({ team }) => ok({ team: { id: team.id, name: team.name, domain: team.domain, url: `https://${team.domain}.slack.com/` } }),
      },
      'conversations.list': { scopes: readChannels, run: (call) => this.conversationsList(call) },
      'conversations.info': {
        scopes: readChannels,
        run: (call) => this.withChannel(call, (channel) => ok({ channel: channelView(call.team, channel) })),
      },
      'conversations.join': { scopes: ['channels:join'], run: (call) => this.withChannel(call, (channel) => this.join(call, channel)) },
      'conversations.history': {
        scopes: ['channels:history', 'groups:history'],
        run: (call) => this.withChannel(call, (channel) => this.history(call, channel)),
      },
      'conversations.replies': {
        scopes: ['channels:history', 'groups:history'],
        run: (call) => this.withChannel(call, (channel) => this.history(call, channel)),
      },
      'users.list': { scopes: ['users:read'], run: (call) => this.usersList(call) },
      'users.info': { scopes: ['users:read'], run: (call) => this.usersInfo(call) },
      'chat.postMessage': { scopes: ['chat:write'], run: (call) => this.postMessage(call) },
    };
  }

  routes(): Route[] {
    const handle = (request: SandboxRequest): SandboxResponse => this.call(request);
    return ['GET', 'POST'].map((method) => ({ method, pattern: '/api/:method', endpoint: ':method', handle }));
  }

  surface(routes: Route[], parseForm: ProviderSurface['parseForm']): ProviderSurface {
    return {
      name: 'slack',
      routes,
      parseForm,
      identify: (request) => this.identify(request),
      errorBody: (status) => ({ ok: false, error: ERRORS_BY_STATUS[status] ?? 'internal_error' }),
      rateLimited: (_, status = 429) => ({ status, headers: { 'retry-after': '1' }, body: { ok: false, error: 'ratelimited' } }),
      refuseRefresh: () => refuse('invalid_refresh_token'),
      notFound: () => ({ status: 404, body: '<!DOCTYPE html><title>Not found</title>' }),
      commonHeaders: () => ({ 'x-slack-req-id': hashPrefix(String(this.context.now())) }),
    };
  }

  private identify(request: SandboxRequest): Principal {
    const refresh = text(request.body['refresh_token']);
    if (refresh) {
      const found = this.tokens.checkRefresh(refresh);
      return { token: refresh, ...(found.grant ? { account: found.grant.account } : {}) };
    }
    const code = text(request.body['code']);
    if (code) {
      const found = this.tokens.findCode(code);
      return found.row ? { account: found.row.account } : {};
    }
    const token = bearerOf(request.headers) ?? text(request.body['token']) ?? request.query.get('token') ?? undefined;
    if (!token) return {};
    const verdict = this.tokens.check(token);
    return { token, ...(verdict.grant ? { account: verdict.grant.account } : {}) };
  }

  private call(request: SandboxRequest): SandboxResponse {
    const name = request.params['method'] ?? '';
    if (name === 'oauth.v2.access') return this.oauth.access(request);
    if (name === 'api.test') return ok({});
    if (name === 'apps.event.authorizations.list')
      return eventAuthorizations(request, argumentsOf(request), {
        webhookSecret: this.context.secrets.webhookSecret,
        grantsOf: (team) => this.tokens.activeGrants(team),
      });
    const method = this.methods[name];
    if (!method) return refuse('unknown_method', { req_method: name });
    const token = bearerOf(request.headers) ?? text(request.body['token']) ?? request.query.get('token');
    if (!token) return refuse('not_authed');
    const verdict = this.tokens.check(token);
    if (!verdict.ok) return refuse({ unknown: 'invalid_auth', expired: 'token_expired', revoked: 'token_revoked' }[verdict.reason]);
    const { grant } = verdict;
    if (method.scopes.length > 0 && !method.scopes.some((scope) => grant.scopes.includes(scope))) {
      return refuse('missing_scope', { needed: method.scopes[0], provided: grant.scopes.join(',') });
    }
    const response = method.run({ request, args: argumentsOf(request), token, grant, team: this.world.team(grant.account) });
    return {
      ...response,
      headers: {
        ...response.headers,
        'x-oauth-scopes': grant.scopes.join(','),
        ...(method.scopes.length > 0 ? { 'x-accepted-oauth-scopes': method.scopes.join(',') } : {}),
      },
    };
  }

  private authTest({ team, grant }: Call): SandboxResponse {
    const user = team.users.get(grant.user);
    return ok({
      url: `https://${team.domain}.slack.com/`,
      team: team.name,
      user: user?.name ?? 'unknown',
      team_id: team.id,
      user_id: grant.user,
      ...(grant.kind === 'bot' ? { bot_id: team.botId } : {}),
      is_enterprise_install: false,
    });
  }

  private conversationsList({ args, grant, team }: Call): SandboxResponse {
    const types = String(args['types'] ?? 'public_channel').split(',');
    for (const type of types) {
      const needed = CONVERSATION_SCOPES[type];
      if (!needed) return refuse('invalid_types');
      if (!grant.scopes.includes(needed)) return refuse('missing_scope', { needed, provided: grant.scopes.join(',') });
    }
    const page = pageOf(listOf(team, 'channels'), args);
    if (typeof page === 'string') return refuse(page);
    // Filters work on the page, so pages may be short or empty and still have a next cursor.
    const channels = page.items
      .filter((channel) => types.includes(channel.isPrivate ? 'private_channel' : 'public_channel'))
      .filter((channel) => !channel.isPrivate || channel.isMember)
      .filter((channel) => !channel.isArchived || !flag(args['exclude_archived']));
    return ok({ channels: channels.map((channel) => channelView(team, channel)), response_metadata: { next_cursor: page.next } });
  }

  private usersList({ args, grant, team }: Call): SandboxResponse {
    const page = pageOf(listOf(team, 'users'), args);
    if (typeof page === 'string') return refuse(page);
    const withEmail = grant.scopes.includes('users:read.email');
    return ok({
      members: page.items.map((user) => userView(team, user, withEmail)),
      cache_ts: this.world.nowS(),
      response_metadata: { next_cursor: page.next },
    });
  }

  private usersInfo({ args, grant, team }: Call): SandboxResponse {
    const user = team.users.get(String(args['user'] ?? ''));
    return user ? ok({ user: userView(team, user, grant.scopes.includes('users:read.email')) }) : refuse('user_not_found');
  }

  private join({ team }: Call, channel: SlackChannel): SandboxResponse {
    if (channel.isArchived) return refuse('is_archived');
    channel.isMember = true;
    return ok({ channel: channelView(team, channel) });
  }

  private history({ args, team, request, grant }: Call, channel: SlackChannel): SandboxResponse {
    const needed = channel.isPrivate ? 'groups:history' : 'channels:history';
    if (!grant.scopes.includes(needed)) return refuse('missing_scope', { needed, provided: grant.scopes.join(',') });
    if (!channel.isMember) return refuse('not_in_channel');
    const oldest = String(args['oldest'] ?? '0');
    const latest = text(args['latest']);
    const inclusive = flag(args['inclusive']);
    const inside = (ts: string): boolean =>
      (inclusive ? ts >= oldest : ts > oldest) && (!latest || (inclusive ? ts <= latest : ts < latest));
    const replyTo = request.endpoint === 'conversations.replies' ? text(args['ts']) : null;
    const stored = team.messages.get(channel.id) ?? [];
    if (replyTo === undefined || (replyTo !== null && !stored.some(({ ts }) => ts === replyTo))) return refuse('thread_not_found');
    // Replies show in their thread only.
    const belongs = (message: SlackMessage): boolean => {
      const root = message['thread_ts'] ?? message.ts;
      return replyTo === null ? root === message.ts : root === replyTo;
    };
    const all = stored.filter((message) => belongs(message) && inside(message.ts));
    if (replyTo === null) all.reverse();
    const page = pageOf(
      ordered(all, (message) => message.ts),
      args,
    );
    if (typeof page === 'string') return refuse(page);
    const withMetadata = flag(args['include_all_metadata']);
    const messages = page.items.map((message) => (withMetadata ? message : withoutMetadata(message)));
    return ok({ messages, has_more: page.next !== '', pin_count: 0, response_metadata: { next_cursor: page.next } });
  }

  private postMessage(call: Call): SandboxResponse {
    const { args, team, grant, request } = call;
    const body = text(args['text']);
    request.note({
      channel: args['channel'],
      ...(body ? { textHash: hashPrefix(body) } : {}),
      ...(args['thread_ts'] ? { threadTs: args['thread_ts'] } : {}),
    });
    const channel = this.world.findChannel(team, String(args['channel'] ?? ''));
    if (!channel || (channel.isPrivate && !channel.isMember)) return refuse('channel_not_found');
    if (channel.isArchived) return refuse('is_archived');
    if (!channel.isMember && !grant.scopes.includes('chat:write.public')) return refuse('not_in_channel');
    for (const name of JSON_ARGUMENTS)
      if (args[name] === null) return refuse(name === 'metadata' ? 'invalid_metadata_format' : `invalid_${name}`);
    const hasParts = ['blocks', 'attachments'].some((name) => Array.isArray(args[name]) && (args[name] as unknown[]).length > 0);
    if (!body && !hasParts) return refuse('no_text');
    if (body && body.length > MAX_TEXT) return refuse('msg_too_long');
    const thread = text(args['thread_ts']);
    const message = this.world.post(team, channel, {
      ...(grant.kind === 'bot'
        ? {
            user: team.botUserId,
            bot_id: team.botId,
            bot_profile: { id: team.botId, app_id: this.world.state.appId, name: 'Trestle', deleted: false, team_id: team.id },
          }
        : { user: grant.user }),
      app_id: this.world.state.appId,
      text: body ?? '',
      ...(Array.isArray(args['blocks']) ? { blocks: args['blocks'] } : {}),
      ...(Array.isArray(args['attachments']) ? { attachments: args['attachments'] } : {}),
      ...(args['metadata'] ? { metadata: args['metadata'] } : {}),
      ...(args['client_msg_id'] ? { client_msg_id: args['client_msg_id'] } : {}),
      ...(thread ? { thread_ts: thread } : {}),
    });
    return ok({ channel: channel.id, ts: message.ts, message: withoutMetadata(message) });
  }

  private withChannel(call: Call, run: (channel: SlackChannel) => SandboxResponse): SandboxResponse {
    const channel = call.team.channels.get(String(call.args['channel'] ?? ''));
    return channel ? run(channel) : refuse('channel_not_found');
  }
}

function withoutMetadata(message: SlackMessage): Json {
  return Object.fromEntries(Object.entries(message).filter(([name]) => name !== 'metadata'));
}

function argumentsOf(request: SandboxRequest): Json {
  const args: Json = { ...Object.fromEntries(request.query), ...request.body };
  for (const name of JSON_ARGUMENTS) {
    const value = args[name];
    if (typeof value !== 'string') continue;
    try {
      args[name] = JSON.parse(value) as unknown;
    } catch {
      args[name] = null;
    }
  }
  return args;
}

function ok(body: Json): SandboxResponse {
  return { status: 200, body: { ok: true, ...body } };
}
