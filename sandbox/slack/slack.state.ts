import { SeededRandom } from '../random';
import type { Json } from '../sandbox.types';
import { emptyTokenState, type TokenState } from '../token-store';

export interface SlackChannel {
  id: string;
  name: string;
  isPrivate: boolean;
  isArchived: boolean;
  isGeneral: boolean;
  isMember: boolean;
  creator: string;
  created: number;
  updated: number;
  topic: string;
  purpose: string;
  previousNames: string[];
  numMembers: number;
}

export interface SlackUser {
  id: string;
  name: string;
  realName: string;
  email: string;
  isAdmin: boolean;
  isBot: boolean;
  deleted: boolean;
  updated: number;
}

export interface SlackMessage extends Json {
  type: 'message';
  ts: string;
  text: string;
}

export interface SlackTeam {
  id: string;
  name: string;
  domain: string;
  botUserId: string;
  botId: string;
  channels: Map<string, SlackChannel>;
  users: Map<string, SlackUser>;
  messages: Map<string, SlackMessage[]>;
  /** Counts up when channels or users come or go. */
  version: number;
  /** Counts up, so that no two messages share a ts. */
  messageSerial: number;
}

export interface SlackState {
  appId: string;
  teams: Map<string, SlackTeam>;
  tokens: TokenState;
  serial: number;
}

const CHANNELS = 25;
const USERS = 12;
const TOPICS = [
  'general',
  'random',
  'engineering',
  'design',
  'support',
  'sales',
  'marketing',
  'launch',
  'incidents',
  'hiring',
  'finance',
  'legal',
  'ops',
];
const PEOPLE = [
  'Ada Byron',
  'Grace Okafor',
  'Linus Meyer',
  'Zoë Martin',
  'Ken Tanaka',
  'Marta Silva',
  'Omar Haddad',
  'Ines Costa',
  'Jörg Weiß',
  'Priya Nair',
  'Tom Baker',
];
const UPPER = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789';

export function emptySlackState(): SlackState {
  return { appId: 'A0SANDBOX1', teams: new Map(), tokens: emptyTokenState(), serial: 0 };
}

/** A workspace with data that follows from the seed and the team's id. */
export function seedTeam(id: string, seed: number, nowMs: number): SlackTeam {
  const random = new SeededRandom(`${seed} slack ${id}`);
  const created = Math.floor(nowMs / 1000) - 90 * 86_400;
  const slug = id.replace(/^T_?/, '').toLowerCase() || 'team';
  const team: SlackTeam = {
    id,
    name: slug.charAt(0).toUpperCase() + slug.slice(1),
    domain: slug,
    botUserId: `U0${random.id(8, UPPER)}`,
    botId: `B0${random.id(8, UPPER)}`,
    channels: new Map(),
    users: new Map(),
    messages: new Map(),
    version: 0,
    messageSerial: 0,
  };
  addUser(team, { id: team.botUserId, name: 'trestle', realName: 'Trestle', isBot: true, email: '' }, created);
  for (let i = 0; i < USERS - 1; i++) {
    const realName = PEOPLE[i % PEOPLE.length] as string;
    const name = `${realName
      .split(' ')[0]
      ?.toLowerCase()
      .normalize('NFD')
      .replace(/[^a-z]/g, '')}${i >= PEOPLE.length ? i : ''}`;
    addUser(team, { id: `U0${random.id(8, UPPER)}`, name, realName, email: `${name}@${slug}.test`, isAdmin: i === 0 }, created);
  }
  for (let i = 0; i < CHANNELS; i++) {
    const base = TOPICS[i % TOPICS.length] as string;
    addChannel(
      team,
      {
        id: `C0${random.id(8, UPPER)}`,
        name: i < TOPICS.length ? base : `${base}-${Math.floor(i / TOPICS.length) + 1}`,
        isGeneral: i === 0,
        isPrivate: i === 20 || i === 21,
        isArchived: i === 22 || i === 23,
        isMember: i !== 24,
        numMembers: 2 + random.below(USERS),
      },
      created + i * 3600,
    );
  }
  return team;
}

export function addChannel(team: SlackTeam, fields: Partial<SlackChannel> & { id: string; name: string }, createdS: number): SlackChannel {
  const channel: SlackChannel = {
    isPrivate: false,
    isArchived: false,
    isGeneral: false,
    isMember: true,
    creator: [...team.users.keys()][1] ?? team.botUserId,
    created: createdS,
    updated: createdS * 1000,
    topic: '',
    purpose: `Everything about ${fields.name}`,
    previousNames: [],
    numMembers: 3,
    ...fields,
  };
  team.channels.set(channel.id, channel);
  team.version++;
  return channel;
}

export function addUser(team: SlackTeam, fields: Partial<SlackUser> & { id: string; name: string }, updatedS: number): SlackUser {
  const user: SlackUser = {
    realName: fields.name,
    email: `${fields.name}@${team.domain}.test`,
    isAdmin: false,
    isBot: false,
    deleted: false,
    updated: updatedS,
    ...fields,
  };
  team.users.set(user.id, user);
  team.version++;
  return user;
}

/** The shape of `conversations.list` and `conversations.info`. */
export function channelView(team: SlackTeam, channel: SlackChannel): Json {
  const text = (value: string): Json => ({ value, creator: value ? channel.creator : '', last_set: value ? channel.created : 0 });
  return {
    id: channel.id,
    name: channel.name,
    is_channel: !channel.isPrivate,
    is_group: channel.isPrivate,
    is_im: false,
    is_mpim: false,
    is_private: channel.isPrivate,
    created: channel.created,
    is_archived: channel.isArchived,
    is_general: channel.isGeneral,
    unlinked: 0,
    name_normalized: channel.name,
    is_shared: false,
    is_org_shared: false,
    is_pending_ext_shared: false,
    pending_shared: [],
    context_team_id: team.id,
    updated: channel.updated,
    parent_conversation: null,
    creator: channel.creator,
    is_ext_shared: false,
    shared_team_ids: [team.id],
    pending_connected_team_ids: [],
    is_member: channel.isMember,
    topic: text(channel.topic),
    purpose: text(channel.purpose),
    previous_names: channel.previousNames,
    num_members: channel.numMembers,
  };
}

/** The shape of `users.list` and `users.info`; the e-mail address only with `users:read.email`. */
export function userView(team: SlackTeam, user: SlackUser, withEmail: boolean): Json {
  const [first = user.realName, last = ''] = user.realName.split(' ');
  return {
    id: user.id,
    team_id: team.id,
    name: user.name,
    deleted: user.deleted,
    color: '9f69e7',
    real_name: user.realName,
    tz: 'Europe/Berlin',
    tz_label: 'Central European Time',
    tz_offset: 3600,
    profile: {
      title: '',
      phone: '',
      skype: '',
      real_name: user.realName,
      real_name_normalized: user.realName.normalize('NFD').replace(/[\u0300-\u036f]/g, ''),
      display_name: user.name,
      display_name_normalized: user.name,
      status_text: '',
      status_emoji: '',
      avatar_hash: 'g0000000000',
      first_name: first,
      last_name: last,
      team: team.id,
      ...(withEmail && user.email ? { email: user.email } : {}),
    },
    is_admin: user.isAdmin,
    is_owner: user.isAdmin,
    is_primary_owner: user.isAdmin,
    is_restricted: false,
    is_ultra_restricted: false,
    is_bot: user.isBot,
    is_app_user: false,
    updated: user.updated,
  };
}
