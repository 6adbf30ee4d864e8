import { createHash, timingSafeEqual } from 'node:crypto';
import type { KnownWatch, KnownWatches, RawDelivery, Verdict } from '../../contract';
import { GOOD, refused, single } from './verification';

/** What is known of a channel that we opened. */
export interface KnownChannel {
  /** `hashChannelToken` of the token that we gave the provider. */
  readonly tokenHash: string;
  /** The provider's id of what is watched; empty while it is not known yet. */
  readonly remoteId?: string;
}

export interface ChannelHeaders {
  readonly channelId: string;
  readonly token: string;
  readonly resourceId: string;
}

/** SHA-256 in hexadecimal: the token is random, so a plain hash is enough to keep it out of the database. */
export function hashChannelToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * A notification that carries no signature, only the channel's id and the secret token that we chose when we opened it. The body means
 * nothing.
 */
export async function verifyChannelToken<C extends KnownChannel>(
  delivery: RawDelivery,
  names: ChannelHeaders,
  find: (channelId: string) => Promise<C | undefined>,
): Promise<{ readonly verdict: Verdict; readonly channel?: C }> {
  const channelId = single(delivery, names.channelId);
  const token = single(delivery, names.token);
  if (channelId === undefined || token === undefined || token === '') return { verdict: refused('no_signature') };
  if (channelId === null || token === null || channelId.length > 128 || token.length > 512)
    return { verdict: refused('malformed_signature') };
  const channel = await find(channelId);
  // An unknown channel is compared all the same, so that the time says nothing of which channels there are.
  const shown = createHash('sha256').update(hashChannelToken(token)).digest();
  const expected = createHash('sha256')
    .update(channel?.tokenHash ?? '')
    .digest();
  const same = timingSafeEqual(shown, expected);
  if (!channel) return { verdict: refused('unknown_channel') };
  if (!same) return { verdict: refused('wrong_token') };
  const remoteId = single(delivery, names.resourceId);
  if (channel.remoteId && remoteId !== channel.remoteId) return { verdict: refused('unknown_channel') };
  return { verdict: GOOD, channel };
}

/** The watch that a token `channel.token` belongs to; undefined where it is none, or another's. */
export async function watchOfToken(text: unknown, watches: KnownWatches): Promise<KnownWatch | undefined> {
  const [, channelId, token] = (typeof text === 'string' && /^([0-9a-f-]{36})\.([\w-]{1,512})$/.exec(text)) || [];
  if (channelId === undefined || token === undefined) return undefined;
  const watch = await watches.find(channelId);
  // As above: an unknown one takes as long.
  const [shown, expected] = [hashChannelToken(token), watch?.tokenHash ?? ''].map((hash) => createHash('sha256').update(hash).digest());
  return timingSafeEqual(shown!, expected!) ? watch : undefined;
}
