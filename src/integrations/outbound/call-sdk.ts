import { findIntegrationError, IntegrationError } from '../../errors';

/**
 * Runs a call of a provider's SDK whose fetch is ours, and takes our own error out of whatever the SDK wrapped round it.
 * @throws IntegrationError always that; `provider_bad_answer` where the SDK could not read what was answered
 */
export async function callSdk<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const known = findIntegrationError(error);
    if (known) throw known;
    // A TypeError is a slip of ours or of the SDK; all else is an SDK that did not understand a successful answer.
    const name = nameOf(error);
    if (name === 'TypeError') throw new IntegrationError('internal_error', { cause: error });
    // An SDK's error may carry the body, in its message too: only its name is kept.
    throw new IntegrationError('provider_bad_answer', { cause: new Error(name) });
  }
}

/** By name and not by class: an SDK may live in another realm. */
function nameOf(error: unknown): string {
  const name = (error as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name.slice(0, 100) : 'unknown';
}
