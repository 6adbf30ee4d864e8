import { join } from 'node:path';
import { onTrial, verdict } from '../support/way-out-trial';
import { AlertReceiver } from './lib/alert-receiver';
import { throughService } from './lib/database-door';
import type { Fault } from './lib/fault';
import { seconds, sleep, until } from './lib/waiting';

const FINDINGS = 5_000;
const TOLD_WITHIN_MS = 300_000;
/** The rules look every ten seconds: several looks more. */
const LOOKS_MS = 25_000;

/** Connections that are lost: a warning each. */
const LOSE = (
  count: number,
) => `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, error_code)
  SELECT gen_random_uuid(), 'tenant-' || n % 50, 'user-' || n, 'stripe', 'acct_lost_' || n, 'Lost ' || n, 'acct_lost_' || n, 'api_key', 'needs_reauth', 'needs_reauth'
  FROM generate_series(1, ${count}) n`;
/** An event that was given up: critical. */
const GIVE_UP = `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, attempts, processed_at, last_error)
  VALUES (gen_random_uuid(), 'stripe', 'evt_given_up', 'charge.failed', 'tenant-1', 'dead', 8, now(), 'it failed')`;
/** The first of all rules reads it. */
const BREAK_A_RULE = 'ALTER TABLE request_buckets RENAME COLUMN server_errors TO server_errors_away';
/** An hour has passed for what waits for the chat. */
const AN_HOUR_LATER = [
  `UPDATE deliveries SET next_attempt_at = next_attempt_at - interval '1 hour' WHERE status = 'pending'`,
  `UPDATE destinations SET retry_at = retry_at - interval '1 hour', failing_since = failing_since - interval '1 hour'`,
];

export const fault: Fault = {
  id: 'F29',
  promise:
    'one destination of alerts fails for an hour, a rule throws, 5 000 findings at once: the other destination and all other rules work, each alert comes once to each, the critical first',
  stages: ['server', 'embedded'],
  boundS: 900,
  async run(stage, services, { events }) {
    const findings = Math.min(FINDINGS, Math.ceil(events / 2));
    const receiver = await AlertReceiver.start();
    const options = { workers: true, env: receiver.env, entry: join(__dirname, 'lib/service.ts') };
    return onTrial(stage, services, options, async ({ cluster }) => {
      receiver.chatAnswers(500);
      await throughService(cluster, BREAK_A_RULE);
      await throughService(cluster, LOSE(findings));
      await throughService(cluster, GIVE_UP);
      const began = performance.now();
      await until(() => receiver.atWebhook().length > findings, TOLD_WITHIN_MS, 250);
      const toldMs = performance.now() - began;
      await sleep(LOOKS_MS);
      const told = receiver.atWebhook();
      const refused = receiver.atChat().length;
      const firstCritical = told.findIndex(({ severity }) => severity === 'critical');
      const firstWarning = told.findIndex(({ severity }) => severity === 'warning');

      receiver.chatAnswers(200);
      receiver.forgetChat();
      for (const statement of AN_HOUR_LATER) await throughService(cluster, statement);
      await until(() => new Set(receiver.atChat()).size > findings, TOLD_WITHIN_MS, 250);
      await sleep(LOOKS_MS);
      const chat = receiver.atChat();
      const ids = new Set(told.map(({ id, type }) => `${type} ${id}`));
      const broken = cluster.members.some(({ process }) => process.lines.some((line) => line.includes('An alert rule failed')));
      return verdict(
        {
          'the other destination got each once': told.length === findings + 1 && ids.size === told.length,
          'the critical came first': firstCritical >= 0 && firstCritical < firstWarning,
          'the chat got each once when it was back': chat.length === findings + 1 && new Set(chat).size === chat.length,
          'it had failed before': refused > 0,
          'a rule threw': broken,
        },
        `${findings + 1} findings: the webhook took ${told.length} (${ids.size} different) in ${seconds(toldMs)}, the critical one as number ${firstCritical + 1}; ` +
          `the chat refused ${refused} POSTs, an hour later took ${chat.length} (${new Set(chat).size} different); a rule threw: ${broken}`,
      );
    });
  },
};
