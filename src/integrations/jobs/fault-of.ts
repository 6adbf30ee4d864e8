import { findIntegrationError } from '../../errors';

/** What may be logged of a failure that nobody expected: a database error's message, query and parameters hold what people stored. */
export function faultOf(cause: unknown): { fault: string; at?: string[] } {
  if (!(cause instanceof Error)) return { fault: typeof cause };
  const known = findIntegrationError(cause);
  if (known) return { fault: `${known.code}: ${known.message}` };
  const { code } = cause as { code?: unknown };
  return {
    fault: typeof code === 'string' ? `${cause.name} ${code}` : cause.name,
    at: cause.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8),
  };
}
