/** What is settled can be run again; what waits or runs does so anyway. Without its payload an event says nothing any more. */
export const replayable = (lock = '') =>
  `status IN ('completed', 'failed', 'dead') AND EXISTS (SELECT 1 FROM webhook_payloads p WHERE p.id = payload_id ${lock})`;

/** Until the replay is committed nobody ends the payload. */
export const REPLAYABLE_AND_HELD = replayable('FOR KEY SHARE SKIP LOCKED');

/** As when it came first. */
export const ANEW = `status = 'received', attempts = 0, next_attempt_at = now(), processed_at = NULL, lease_owner = NULL, lease_until = NULL, last_error = NULL, error_code = NULL`;

/** What failed or was given up, unless the filter names another status. */
export const ofStatus = (status: string | undefined) => (status === undefined ? ` AND status IN ('failed', 'dead')` : '');
