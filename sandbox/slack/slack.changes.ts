import { text } from '../form-body';
import type { ChangeSpec } from '../sandbox-provider';
import type { Json } from '../sandbox.types';
import type { SlackWorld } from './slack.world';

export const DEFAULT_TEAM = 'T_ACME';

/** Made, changed, taken away (`delete`), or given another id (`newId`). */
export function changeChannel(world: SlackWorld, change: ChangeSpec): Json {
  const team = world.team(change.account ?? DEFAULT_TEAM);
  if (!change.id) return { ...world.createChannel(team, change) };
  const channel = world.findChannel(team, change.id);
  if (!channel) throw new Error(`no channel "${change.id}" in ${team.id}`);
  const newId = text(change['newId']);
  if (change.delete) world.deleteChannel(team, channel);
  else if (newId !== undefined) world.renumberChannel(team, channel, newId);
  else world.changeChannel(team, channel, change);
  return { ...channel };
}

export function changeUser(world: SlackWorld, change: ChangeSpec): Json {
  const team = world.team(change.account ?? DEFAULT_TEAM);
  if (!change.id) return { ...world.createUser(team, change) };
  const user = team.users.get(change.id);
  if (!user) throw new Error(`no user "${change.id}" in ${team.id}`);
  world.changeUser(team, user, change.delete ? { deleted: true } : change);
  return { ...user };
}

export function writeMessage(world: SlackWorld, change: ChangeSpec): Json {
  const team = world.team(change.account ?? DEFAULT_TEAM);
  const name = text(change['channel']) ?? 'general';
  const channel = world.findChannel(team, name);
  if (!channel) throw new Error(`no channel "${name}" in ${team.id}`);
  return world.post(team, channel, { user: text(change['user']) ?? world.personOf(team), text: text(change['text']) ?? 'Hello' });
}
