/** Opaque to the app: whose the event is. */
export function eventContextOf(teamIds: readonly string[]): string {
  return `4-${Buffer.from(JSON.stringify({ tids: teamIds })).toString('base64url')}`;
}

/** Undefined for what is no context of ours. */
export function teamsOf(eventContext: unknown): string[] | undefined {
  if (typeof eventContext !== 'string' || !eventContext.startsWith('4-')) return undefined;
  try {
    const { tids } = JSON.parse(Buffer.from(eventContext.slice(2), 'base64url').toString('utf8')) as { tids?: unknown };
    return Array.isArray(tids) ? tids.map(String) : undefined;
  } catch {
    return undefined;
  }
}
