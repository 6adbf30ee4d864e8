/** The sandbox as a process of its own: `npm run sandbox -- --port-base 4100 --webhook-target http://127.0.0.1:3000`. */
import { parseArgs } from 'node:util';
import { startSandbox } from '.';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'port-base': { type: 'string', default: '0' },
      'webhook-target': { type: 'string' },
      'ledger-file': { type: 'string' },
      'state-file': { type: 'string' },
      'auto-consent': { type: 'string' },
      'slack-ttl': { type: 'string' },
      'google-ttl': { type: 'string' },
      seed: { type: 'string' },
    },
  });
  const base = Number(values['port-base']);
  const auto = values['auto-consent'];
  const sandbox = await startSandbox({
    ports: base > 0 ? { slack: base, stripe: base + 1, google: base + 2, control: base + 3 } : {},
    ...(values['webhook-target'] ? { webhookTarget: values['webhook-target'] } : {}),
    ...(values['ledger-file'] ? { ledgerFile: values['ledger-file'] } : {}),
    ...(values['state-file'] ? { stateFile: values['state-file'] } : {}),
    ...(auto === 'allow' || auto === 'deny' ? { autoConsent: auto } : {}),
    accessTokenTtlS: {
      ...(values['slack-ttl'] ? { slack: Number(values['slack-ttl']) } : {}),
      ...(values['google-ttl'] ? { google: Number(values['google-ttl']) } : {}),
    },
    ...(values.seed ? { seed: Number(values.seed) } : {}),
  });
  process.stdout.write(`${JSON.stringify({ urls: sandbox.urls, env: sandbox.env() })}\n`);
  const stop = (): void => void sandbox.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

void main();
