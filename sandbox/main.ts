/** The sandbox as a process of its own: `npm run sandbox -- --port-base 4100 --webhook-target http://127.0.0.1:3000`. */
import { parseArgs } from 'node:util';
import { FAULT_KINDS, startSandbox, type Sandbox } from '.';
import { PROVIDERS } from './providers';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'port-base': { type: 'string', default: '0' },
      'webhook-target': { type: 'string' },
      'ledger-file': { type: 'string' },
      'state-file': { type: 'string' },
      'auto-consent': { type: 'string' },
      // Life of access tokens: `--token-ttl slack=60`.
      'token-ttl': { type: 'string', multiple: true, default: [] },
      seed: { type: 'string' },
    },
  });
  const base = Number(values['port-base']);
  const auto = values['auto-consent'];
  const names = [...PROVIDERS.map(({ name }) => name), 'control'];
  const sandbox = await startSandbox({
    ports: base > 0 ? Object.fromEntries(names.map((name, index) => [name, base + index])) : {},
    ...(values['webhook-target'] ? { webhookTarget: values['webhook-target'] } : {}),
    ...(values['ledger-file'] ? { ledgerFile: values['ledger-file'] } : {}),
    ...(values['state-file'] ? { stateFile: values['state-file'] } : {}),
    ...(auto === 'allow' || auto === 'deny' ? { autoConsent: auto } : {}),
    accessTokenTtlS: Object.fromEntries(values['token-ttl'].map((text) => text.split('=')).map(([name, s]) => [name, Number(s)])),
    ...(values.seed ? { seed: Number(values.seed) } : {}),
  });
  // One line for machines; what a person wants to know goes beside it.
  process.stdout.write(`${JSON.stringify({ urls: sandbox.urls, env: sandbox.env() })}\n`);
  if (process.stderr.isTTY) process.stderr.write(inWords(sandbox));
  let stopping: Promise<void> | undefined;
  const stop = (): void => void (stopping ??= sandbox.stop().then(() => process.exit(0)));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
}

function inWords({ urls, env }: Sandbox): string {
  return [
    'Addresses',
    ...Object.entries(urls).map(([name, url]) => `  ${name.padEnd(10)} ${url}`),
    'Settings that send the service there',
    ...Object.entries(env()).map(([name, value]) => `  ${name}=${value}`),
    `Faults that can be caused: ${FAULT_KINDS.join(', ')}`,
    `  e.g. curl -X POST ${urls.control}/faults -d '{"kind":"status","status":503,"count":3}'`,
    `Everything else it does: curl ${urls.control}/`,
    `A page with buttons: ${urls.control}/page`,
    '',
  ].join('\n');
}

void main();
