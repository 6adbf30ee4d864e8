import type { WebClient } from '@slack/web-api';
import type { Fetch } from '../../integrations';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded by the first who calls Slack
const slack = () => require('@slack/web-api') as typeof import('@slack/web-api');

/** Slack's own client on a governed fetch: no retries, no queue, no token of its own; one call is one request. */
export function slackClient(fetch: Fetch, apiBaseUrl: string): WebClient {
  const { LogLevel, WebClient } = slack();
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
