import type { Json } from '../sandbox.types';
import type { SlackTeam } from './slack.state';

export function slackView(team: SlackTeam): Json {
  const messages = [...team.messages].flatMap(([channel, list]) =>
    list.map((message) => ({
      channel,
      channelName: team.channels.get(channel)?.name,
      ts: message.ts,
      text: message.text,
      user: message['user'],
      botId: message['bot_id'],
      threadTs: message['thread_ts'],
      metadata: message['metadata'],
    })),
  );
  const publicChannels = [...team.channels.values()].filter((channel) => !channel.isPrivate).length;
  return { name: team.name, channels: team.channels.size, publicChannels, users: team.users.size, messages };
}
