import { record } from '../form-body';
import { secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Json } from '../sandbox.types';
import { SlackEvents } from './slack.events';
import {
  addChannel,
  addUser,
  channelView,
  type SlackChannel,
  type SlackMessage,
  type SlackState,
  type SlackTeam,
  type SlackUser,
  seedTeam,
  userView,
} from './slack.state';

/** The workspaces, and every change to them with its event. */
export class SlackWorld {
  readonly events: SlackEvents;

  constructor(
    private readonly context: SandboxContext,
    readonly state: SlackState,
    isInstalled: (teamId: string) => boolean,
  ) {
    this.events = new SlackEvents(context, state, isInstalled);
  }

  /** The team, made and filled at first sight. */
  team(id: string): SlackTeam {
    let team = this.state.teams.get(id);
    if (!team) {
      team = seedTeam(id, this.context.seed, this.context.now());
      this.state.teams.set(id, team);
      this.context.changed();
    }
    return team;
  }

  personOf(team: SlackTeam): string {
    return [...team.users.values()].find((user) => !user.isBot && !user.deleted)?.id ?? team.botUserId;
  }

  findChannel(team: SlackTeam, reference: string): SlackChannel | undefined {
    const name = reference.replace(/^#/, '');
    return team.channels.get(reference) ?? [...team.channels.values()].find((channel) => channel.name === name);
  }

  createChannel(team: SlackTeam, fields: Json): SlackChannel {
    const channel = addChannel(
      team,
      {
        ...channelFields(fields),
        id: `C0${secretText(8).toUpperCase()}`,
        name: String(fields['name'] ?? `channel-${++this.state.serial}`),
      },
      this.nowS(),
    );
    this.context.changed();
    this.events.emit(team.id, {
      type: 'channel_created',
      channel: { id: channel.id, name: channel.name, created: channel.created, creator: channel.creator, context_team_id: team.id },
      event_ts: this.eventTs(),
    });
    return channel;
  }

  changeChannel(team: SlackTeam, channel: SlackChannel, fields: Json): void {
    const { name, isArchived, ...rest } = channelFields(fields);
    channel.updated = this.context.now();
    Object.assign(channel, rest);
    if (name !== undefined && name !== channel.name) {
      channel.previousNames.unshift(channel.name);
      channel.name = name;
      this.events.emit(team.id, {
        type: 'channel_rename',
        channel: { id: channel.id, name, name_normalized: name, created: channel.created, is_channel: true },
        event_ts: this.eventTs(),
      });
    }
    if (isArchived !== undefined && isArchived !== channel.isArchived) {
      channel.isArchived = isArchived;
      this.events.emit(team.id, {
        type: isArchived ? 'channel_archive' : 'channel_unarchive',
        channel: channel.id,
        user: channel.creator,
        event_ts: this.eventTs(),
      });
    }
    this.context.changed();
  }

  /** As when a channel is opened to another workspace: it goes on with its messages under another id. */
  renumberChannel(team: SlackTeam, channel: SlackChannel, id: string): SlackChannel {
    const old = channel.id;
    const messages = team.messages.get(old);
    team.channels.delete(old);
    team.messages.delete(old);
    team.channels.set(id, Object.assign(channel, { id, updated: this.context.now() }));
    if (messages) team.messages.set(id, messages);
    team.version++;
    this.context.changed();
    this.events.emit(team.id, { type: 'channel_id_changed', old_channel_id: old, new_channel_id: id, event_ts: this.eventTs() });
    return channel;
  }

  deleteChannel(team: SlackTeam, channel: SlackChannel): void {
    team.channels.delete(channel.id);
    team.version++;
    this.context.changed();
    this.events.emit(team.id, { type: 'channel_deleted', channel: channel.id, event_ts: this.eventTs() });
  }

  createUser(team: SlackTeam, fields: Json): SlackUser {
    const name = String(fields['name'] ?? `person${++this.state.serial}`);
    const user = addUser(
      team,
      { id: `U0${secretText(8).toUpperCase()}`, name, realName: String(fields['real_name'] ?? name) },
      this.nowS(),
    );
    this.context.changed();
    this.events.emit(team.id, { type: 'team_join', user: userView(team, user, true), event_ts: this.eventTs() });
    return user;
  }

  changeUser(team: SlackTeam, user: SlackUser, fields: Json): void {
    if (typeof fields['real_name'] === 'string') user.realName = fields['real_name'];
    if (typeof fields['name'] === 'string') user.name = fields['name'];
    if (typeof fields['deleted'] === 'boolean') user.deleted = fields['deleted'];
    user.updated = this.nowS();
    this.context.changed();
    this.events.emit(team.id, { type: 'user_change', user: userView(team, user, true), cache_ts: this.nowS(), event_ts: this.eventTs() });
  }

  post(team: SlackTeam, channel: SlackChannel, fields: Json): SlackMessage {
    const message: SlackMessage = {
      type: 'message',
      ...fields,
      ts: this.messageTs(team),
      text: String(fields['text'] ?? ''),
      team: team.id,
    };
    const list = team.messages.get(channel.id);
    if (list) list.push(message);
    else team.messages.set(channel.id, [message]);
    this.context.changed();
    this.events.emit(team.id, {
      ...message,
      channel: channel.id,
      channel_type: channel.isPrivate ? 'group' : 'channel',
      event_ts: message.ts,
    });
    return message;
  }

  /** Many records at once, without events. */
  fill(team: SlackTeam, resource: string, count: number): void {
    const nowS = this.nowS();
    for (let i = 0; i < count; i++) {
      const serial = ++this.state.serial;
      if (resource === 'channels') addChannel(team, { id: `C9${String(serial).padStart(8, '0')}`, name: `bulk-${serial}` }, nowS);
      else if (resource === 'users') addUser(team, { id: `U9${String(serial).padStart(8, '0')}`, name: `bulk${serial}` }, nowS);
      else throw new Error(`slack has no resource "${resource}" to seed; channels or users`);
    }
    this.context.changed();
  }

  /** A plausible event of a type, made from the team's own data. */
  sampleEvent(team: SlackTeam, type: string, serial: number): Json {
    const channel = [...team.channels.values()][serial % Math.max(1, team.channels.size)];
    const user = [...team.users.values()][1 + (serial % Math.max(1, team.users.size - 1))];
    const eventTs = this.eventTs();
    switch (type) {
      case 'message':
        return {
          type,
          channel: channel?.id,
          user: user?.id,
          text: `Message ${serial}`,
          ts: eventTs,
          team: team.id,
          channel_type: 'channel',
          event_ts: eventTs,
        };
      case 'channel_archive':
      case 'channel_unarchive':
      case 'channel_deleted':
        return { type, channel: channel?.id, user: user?.id, event_ts: eventTs };
      case 'user_change':
      case 'team_join':
        return { type, user: user ? userView(team, user, true) : {}, event_ts: eventTs };
      case 'tokens_revoked':
        return { type, tokens: { oauth: [], bot: [team.botUserId] } };
      case 'app_uninstalled':
        return { type };
      default:
        return { type, ...(channel ? { channel: channelView(team, channel) } : {}), event_ts: eventTs };
    }
  }

  nowS(): number {
    return Math.floor(this.context.now() / 1000);
  }

  private messageTs(team: SlackTeam): string {
    return `${this.nowS()}.${String(++team.messageSerial % 1_000_000).padStart(6, '0')}`;
  }

  private eventTs(): string {
    return `${this.nowS()}.${String(++this.state.serial % 1_000_000).padStart(6, '0')}`;
  }
}

function channelFields(fields: Json): Partial<SlackChannel> {
  const out: Partial<SlackChannel> = {};
  const source = record(fields);
  if (typeof source['name'] === 'string') out.name = source['name'];
  if (typeof source['is_private'] === 'boolean') out.isPrivate = source['is_private'];
  if (typeof source['is_archived'] === 'boolean') out.isArchived = source['is_archived'];
  if (typeof source['is_member'] === 'boolean') out.isMember = source['is_member'];
  if (typeof source['topic'] === 'string') out.topic = source['topic'];
  if (typeof source['purpose'] === 'string') out.purpose = source['purpose'];
  return out;
}
