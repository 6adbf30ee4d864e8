import type { calendar_v3 } from 'googleapis/build/src/apis/calendar';
import type { gmail_v1 } from 'googleapis/build/src/apis/gmail';
import type { Fetch } from '../../integrations';

// The whole of `googleapis` takes a second and 100 MB to load; these two parts of it take a tenth, and wait for the first who needs them.
/* eslint-disable @typescript-eslint/no-require-imports */
const calendarApi = () => require('googleapis/build/src/apis/calendar') as typeof import('googleapis/build/src/apis/calendar');
const gmailApi = () => require('googleapis/build/src/apis/gmail') as typeof import('googleapis/build/src/apis/gmail');
/* eslint-enable */

/** Google's own clients on a governed fetch: no retries, no refresh, no token of their own; one call is one request. */
export function calendarClient(fetch: Fetch, rootUrl: string): calendar_v3.Calendar {
  return calendarApi().calendar({ version: 'v3', rootUrl, retry: false, fetchImplementation: fetch });
}

export function gmailClient(fetch: Fetch, rootUrl: string): gmail_v1.Gmail {
  return gmailApi().gmail({ version: 'v1', rootUrl, retry: false, fetchImplementation: fetch });
}
