/**
 * One signed delivery: `npm run webhook -- stripe invoice.paid --to http://127.0.0.1:3000 --secret whsec_...`. The sandbox's counterpart of
 * the provider makes and signs it, so it looks as the real one does.
 */
import { parseArgs } from 'node:util';
import { startSandbox } from '.';

const USAGE = `usage: npm run webhook -- <provider> <type> [options]

  --to URL            origin of the service (default http://127.0.0.1:3000)
  --secret TEXT       the secret that the service verifies with
  --state-file FILE   instead of it: the file of a sandbox, whose secret is used
  --account ID        whom the event is about
  --payload JSON      fields of what the event is about
  --copies N          the same event so many times
  --forge KIND        wrong in one way, e.g. bad-signature
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      to: { type: 'string', default: 'http://127.0.0.1:3000' },
      secret: { type: 'string' },
      'state-file': { type: 'string' },
      account: { type: 'string' },
      payload: { type: 'string', default: '{}' },
      copies: { type: 'string', default: '1' },
      forge: { type: 'string' },
    },
  });
  const [provider, type] = positionals;
  if (provider === undefined || type === undefined || positionals.length > 2) throw new Error(USAGE);
  const sandbox = await startSandbox({
    webhookTarget: values.to,
    ...(values['state-file'] !== undefined && { stateFile: values['state-file'] }),
    ...(values.secret !== undefined && { webhookSecrets: { [provider]: values.secret } }),
  });
  try {
    const summary = await sandbox.control.deliver({
      provider,
      type,
      payload: JSON.parse(values.payload) as Record<string, unknown>,
      copies: Number(values.copies),
      ...(values.account !== undefined && { account: values.account }),
      ...(values.forge !== undefined && { forge: values.forge as 'bad-signature' }),
    });
    process.stdout.write(`${JSON.stringify({ to: values.to, byStatus: summary.byStatus, eventIds: summary.eventIds })}\n`);
    return summary.acknowledged === summary.events ? 0 : 1;
  } finally {
    await sandbox.stop();
  }
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
