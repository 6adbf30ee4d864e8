/** An error without what differs from event to event: ids, numbers, times. */
export const ERROR_SHAPE = String.raw`regexp_replace(last_error, '[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\w*\d\w*', '#', 'g')`;
