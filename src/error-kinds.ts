/**
 * Every failure a person can meet, once: a stable code, how we answer it, whether trying again can help, and the words.
 * The catalogue page (`docs/errors.md`) is generated from this table.
 */
export interface ErrorKind {
  /** HTTP status of our own answer. */
  readonly status: number;
  /** Short name of the kind (RFC 9457 `title`). */
  readonly title: string;
  /** One sentence for a person; a thrower may give a more precise one. */
  readonly detail: string;
  /** One sentence: what to do now. */
  readonly nextStep: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

const kind = (status: number, title: string, detail: string, nextStep: string, retryable = false): ErrorKind => ({
  status,
  title,
  detail,
  nextStep,
  retryable,
});

export const ERROR_KINDS = {
  // the caller
  invalid_request: kind(
    400,
    'Invalid request',
    'The request could not be understood.',
    'Correct the fields named in the answer and send it again.',
  ),
  invalid_cursor: kind(400, 'Invalid cursor', 'This cursor was not made by this list.', 'Start again without a cursor.'),
  invalid_return_to: kind(
    400,
    'Return address not allowed',
    'The address to return to is not on the allowed list.',
    'Use an address whose origin is listed in RETURN_TO_ORIGINS.',
  ),
  unauthorized: kind(401, 'Not signed in', 'A valid access token is needed.', 'Sign in again, then repeat the request.'),
  forbidden: kind(403, 'Not allowed', 'Your role does not allow this.', 'Ask an administrator.'),
  not_found: kind(404, 'Not found', 'There is nothing at this address.', 'Check the id; it may have been removed.'),
  method_not_allowed: kind(
    405,
    'Method not allowed',
    'This address does not take this method.',
    'See the API description for the right method.',
  ),
  proxy_not_allowed: kind(403, 'Not taken by the proxy', 'The proxy does not take this call.', 'Use an operation of the provider instead.'),
  payload_too_large: kind(413, 'Too large', 'What was sent is larger than allowed.', 'Send less in one request.'),
  unsupported_media_type: kind(415, 'Unsupported content type', 'This content type is not taken here.', 'Send application/json.'),
  too_many_requests: kind(429, 'Too many requests', 'Too many requests came in a short time.', 'Wait a moment, then try again.', true),
  idempotency_key_reused: kind(
    422,
    'Idempotency key reused',
    'This Idempotency-Key was used before with another request.',
    'Use a new key for a new request.',
  ),
  idempotency_key_in_use: kind(
    409,
    'Still running',
    'The first request with this Idempotency-Key is still running.',
    'Wait a moment, then ask again with the same key.',
    true,
  ),
  outcome_unknown: kind(
    409,
    'Outcome unknown',
    'We could not learn whether the provider carried this out, so it was not repeated.',
    'Look in the provider whether it happened; if not, repeat it with a new Idempotency-Key.',
  ),
  cursor_expired: kind(
    410,
    'Cursor expired',
    'This cursor is older than the changes that are kept.',
    'Read the records again from the start.',
  ),
  confirmation_required: kind(
    409,
    'Confirmation needed',
    'This would remove an unusually large share of the records.',
    'Confirm the run if the removal is right.',
  ),
  // the connection
  provider_unknown: kind(404, 'Unknown provider', 'There is no provider of this name.', 'See the list of providers.'),
  provider_not_configured: kind(
    409,
    'Provider not configured',
    'This provider has no credentials on this server.',
    'Ask an administrator to set its client id and secret.',
  ),
  not_supported: kind(422, 'Not supported', 'This provider does not offer this.', 'See what the provider can do in the list of providers.'),
  connection_not_found: kind(404, 'Connection not found', 'There is no such connection.', 'Check the id; it may have been removed.'),
  not_connected: kind(409, 'Not connected', 'This integration is disconnected.', 'Connect it again.'),
  needs_reauth: kind(409, 'Reconnect needed', 'The access that was given has ended.', 'Reconnect the integration to go on.'),
  refresh_interrupted: kind(
    409,
    'Reconnect needed',
    'Renewing the access was interrupted and the provider no longer takes what we hold.',
    'Reconnect the integration to go on.',
  ),
  credentials_rejected: kind(
    422,
    'Key not accepted',
    'The provider did not accept this key.',
    'Check that the whole key was copied and that it is still active.',
  ),
  account_mismatch: kind(
    409,
    'Another account',
    'The account that was connected is not the one of this connection.',
    'Reconnect with the same account, or connect the other one as new.',
  ),
  connect_state_invalid: kind(
    400,
    'Connecting was not finished',
    'This sign-in was not started here, was already used, or took too long.',
    'Start connecting again.',
  ),
  connect_denied: kind(
    400,
    'Connecting was declined',
    'Access was not granted at the provider.',
    'Start connecting again and allow the access.',
  ),
  connect_failed: kind(502, 'Connecting failed', 'The provider could not finish the sign-in.', 'Start connecting again in a moment.', true),
  missing_scope: kind(
    403,
    'Permission missing',
    'The connected account has not granted the permission that this needs.',
    'Reconnect and allow the permission.',
  ),
  // the provider
  provider_rejected: kind(422, 'Refused by the provider', 'The provider did not accept the request.', 'Check what was sent.'),
  provider_not_found: kind(404, 'Not found at the provider', 'The provider has no such thing.', 'Check the id; it may have been removed.'),
  provider_conflict: kind(
    409,
    'Conflict at the provider',
    'The provider reports that this was changed by somebody else.',
    'Load it again, then repeat the change.',
  ),
  provider_forbidden: kind(
    403,
    'Not allowed at the provider',
    'The connected account may not do this.',
    'Ask the owner of the account for the permission.',
  ),
  provider_unavailable: kind(
    503,
    'Provider not available',
    'The provider has a problem at the moment.',
    'Nothing is lost; try again in a few minutes.',
    true,
  ),
  provider_timeout: kind(504, 'Provider too slow', 'The provider did not answer in time.', 'Try again in a few minutes.', true),
  provider_rate_limited: kind(
    429,
    'Provider is busy',
    'The provider asks us to slow down.',
    'Wait for the time given, then try again.',
    true,
  ),
  provider_bad_answer: kind(
    502,
    'Unreadable answer',
    'The provider answered with something that could not be read.',
    'Try again in a few minutes.',
    true,
  ),
  provider_misconfigured: kind(
    502,
    'Provider settings are wrong',
    'The provider does not accept how this application is set up.',
    'Nothing to do for you: the operator of this application is told, and it is being looked into.',
  ),
  organization_forbids: kind(
    403,
    'Not allowed by the organization',
    'The organization of the connected account does not allow this application.',
    'Ask the administrator of the organization to allow it.',
  ),
  scope_not_allowed: kind(
    403,
    'Scope not allowed',
    'One of the scopes is neither named by the provider’s facts nor allowed by its setting.',
    'Ask for fewer scopes, or let an operator add it to the provider’s SCOPES setting.',
  ),
  refresh_refused: kind(
    502,
    'Access not renewed',
    'The provider did not renew the access, for a reason that is not known here.',
    'Nothing to do for you: it is tried again with growing pauses, and the operator of this application is told.',
    true,
  ),
  circuit_open: kind(
    503,
    'Provider not available',
    'The provider failed repeatedly and is given a pause.',
    'Nothing is lost; try again in a minute.',
    true,
  ),
  busy: kind(503, 'Busy', 'Too many calls to this provider are waiting.', 'Try again in a moment.', true),
  response_too_large: kind(502, 'Answer too large', 'The provider answered with more than we take.', 'Ask for less at once.'),
  destination_refused: kind(
    400,
    'Address not allowed',
    'Requests to this address are not allowed.',
    'Use a public https address of the provider.',
  ),
  card_declined: kind(402, 'Card declined', 'Your card was declined.', 'Use another card, or ask the bank.'),
  cancelled: kind(499, 'Cancelled', 'The work was cancelled.', 'Start it again if it is still wanted.', true),
  sync_cursor_expired: kind(
    409,
    'Full sync needed',
    'The provider no longer knows the position of the last sync.',
    'Nothing to do: a full sync follows by itself.',
    true,
  ),
  // webhooks
  signature_invalid: kind(
    401,
    'Signature not valid',
    'The signature of this delivery could not be verified.',
    'Check the signing secret on both sides.',
  ),
  webhook_secret_missing: kind(
    401,
    'Signature not valid',
    'The signature of this delivery could not be verified.',
    'Check the signing secret on both sides.',
  ),
  webhook_handler_failed: kind(
    500,
    'Event not processed',
    'An event could not be processed.',
    'See the last error, mend the cause, then replay it.',
    true,
  ),
  // ourselves
  storage_unavailable: kind(
    503,
    'Storage not available',
    'The data store cannot be reached at the moment.',
    'Nothing was lost; try again in a moment.',
    true,
  ),
  sign_in_unavailable: kind(
    503,
    'Sign-in not available',
    'The keys that verify access tokens cannot be fetched at the moment.',
    'Try again in a moment.',
    true,
  ),
  shutting_down: kind(503, 'Restarting', 'This server is about to restart.', 'Try again in a moment.', true),
  decryption_failed: kind(
    500,
    'Stored secret unreadable',
    'A stored secret could not be read.',
    'Reconnect the integration; tell an administrator to check the encryption keys.',
  ),
  connection_altered: kind(
    503,
    'Connection altered',
    'What is stored of this connection was changed from outside, so it is not used.',
    'Whoever runs this service has been told; nothing of it was lost, and it works again once its row is restored.',
  ),
  internal_error: kind(
    500,
    'Something went wrong',
    'Something went wrong on our side.',
    'Try again; if it stays, report the request id.',
    true,
  ),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;
