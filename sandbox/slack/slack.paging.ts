import { text } from '../form-body';
import { pageFrom } from '../paging';
import type { Json } from '../sandbox.types';
import type { SlackChannel, SlackTeam, SlackUser } from './slack.state';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

interface Ordered<T> {
  items: T[];
  idOf: (item: T) => string;
  /** Place of an id; made once a list is paged. */
  places: () => Map<string, number>;
}

interface TeamLists {
  version: number;
  channels: Ordered<SlackChannel>;
  users: Ordered<SlackUser>;
}

const lists = new WeakMap<SlackTeam, TeamLists>();

/** A team's channels or users in the order of their creation; kept until one comes or goes. */
export function listOf<K extends 'channels' | 'users'>(team: SlackTeam, kind: K): TeamLists[K] {
  let kept = lists.get(team);
  if (kept?.version !== team.version) {
    kept = {
      version: team.version,
      channels: ordered([...team.channels.values()], (channel) => channel.id),
      users: ordered([...team.users.values()], (user) => user.id),
    };
    lists.set(team, kept);
  }
  return kept[kind];
}

export function ordered<T>(items: T[], idOf: (item: T) => string): Ordered<T> {
  let places: Map<string, number> | null = null;
  return { items, idOf, places: () => (places ??= new Map(items.map((item, index) => [idOf(item), index]))) };
}

/**
 * One page, or Slack's word for what is wrong with the arguments. Cursors name the last item seen, so that changes between
 * pages neither skip nor repeat what stayed: https://docs.slack.dev/apis/web-api/pagination
 */
export function pageOf<T>(list: Ordered<T>, args: Json): { items: T[]; next: string } | string {
  const limit = args['limit'] === undefined || args['limit'] === '' ? DEFAULT_LIMIT : Number(args['limit']);
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT) return 'invalid_limit';
  const cursor = text(args['cursor']);
  let start = 0;
  if (cursor) {
    const last = /^after:(.+)$/.exec(Buffer.from(cursor, 'base64').toString('utf8'))?.[1];
    const at = last === undefined ? undefined : list.places().get(last);
    if (at === undefined) return 'invalid_cursor';
    start = at + 1;
  }
  const { items, next } = pageFrom(list.items, start, limit || DEFAULT_LIMIT);
  return { items, next: next === undefined ? '' : Buffer.from(`after:${list.idOf(items.at(-1) as T)}`).toString('base64') };
}
