import { LogLevel, WebClient } from '@slack/web-api';
import type { Fetch } from '../../integrations';

/** Slack's own client on a governed fetch: no retries, no queue, no token of its own; one call is one request. */
export function slackClient(fetch: Fetch, apiBaseUrl: string): WebClient {
  return new WebClient(undefined, {
    slackApiUrl: apiBaseUrl,
    fetch: fetch as ConstructorParameters<typeof WebClient>[1] extends { fetch?: infer F } | undefined ? F : never,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // An absolute address as a method's name would carry the token anywhere.
    allowAbsoluteUrls: false,
    logLevel: LogLevel.ERROR,
  });
}
