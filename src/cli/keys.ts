import '../require-node';
import { Logger } from '@nestjs/common';
import { readEnvironment } from '../config/env';
import { asService, connectDatabase } from '../database';
import { systemClock } from '../clock';
import { AuditLog } from '../integrations/audit/audit-log';
import { ConnectionSeals } from '../integrations/connections/seals/connection-seals';
import { KeyCheckService } from '../integrations/keys/key-check.service';
import { KeyRotationService, type KeyUse } from '../integrations/keys/key-rotation.service';
import { SecretBox } from '../integrations/connections/tokens/secret-box';
import { keepFilesPrivate } from '../config/data-folder';
import { failureText } from '../start-failure';

const USAGE = `usage: npm run keys -- status|rotate [--json]
  status   which encryption key is needed by how many rows
  rotate   encrypts everything with the primary key; may be interrupted and run again
`;

/** Looks after ENCRYPTION_KEYS. Exits with 0 only if no row needs another key than the primary (`rotate`), or the keys fit (`status`). */
async function main([command, ...flags]: readonly string[]): Promise<number> {
  if (command !== 'status' && command !== 'rotate') {
    process.stderr.write(USAGE);
    return 2;
  }
  const json = flags.includes('--json');
  Logger.overrideLogger(false); // what is printed is the answer, nothing else
  const settings = readEnvironment([]);
  const dataSource = await connectDatabase({ databaseUrl: settings.databaseUrl, dataDir: settings.dataDir });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => stop.abort(new Error('Interrupted; what is committed stays, run it again to go on.')));
  try {
    const secrets = new SecretBox(settings.encryptionKeys);
    const rotation = new KeyRotationService(dataSource, secrets);
    await new KeyCheckService(
      dataSource,
      secrets,
      settings,
      new ConnectionSeals(dataSource, secrets, systemClock),
      systemClock,
    ).checkPresent();
    if (command === 'status') {
      const uses = await rotation.status();
      process.stdout.write(json ? `${JSON.stringify({ keys: uses })}\n` : uses.map(lineOf).join(''));
      return uses.some(isMissed) ? 1 : 0;
    }
    const audit = new AuditLog(dataSource, systemClock);
    const act = { action: 'keys.rotate' as const, tenant: '', target: `key:${secrets.primaryKeyId}` };
    const report = await audit.around(act, () =>
      rotation.rotate({
        signal: stop.signal,
        onProgress: (rotated) => void (json || process.stderr.write(`\r${rotated} rows`)),
      }),
    );
    if (!json) process.stderr.write('\n');
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : sentenceOf(report, secrets.primaryKeyId));
    return report.remaining === 0 ? 0 : 1;
  } finally {
    await dataSource.destroy();
  }
}

function lineOf(use: KeyUse): string {
  const rows = Object.entries(use.rows).map(([table, count]) => `${table} ${count}`);
  const role = use.primary ? 'primary' : use.present ? 'present' : isMissed(use) ? 'MISSING, still needed' : 'gone, not needed';
  return `${use.keyId.padEnd(20)} ${role.padEnd(22)} ${rows.join(', ')}\n`;
}

function isMissed({ present, rows }: KeyUse): boolean {
  return !present && Object.values(rows).some((count) => count > 0);
}

function sentenceOf(
  { rotated, unreadable, remaining }: { rotated: number; unreadable: number; remaining: number },
  primary: string,
): string {
  const done = `${rotated} rows were encrypted with "${primary}".`;
  if (remaining === 0)
    return `${done} No row needs another key: the others may be removed from ENCRYPTION_KEYS once every process runs with "${primary}" first.\n`;
  return `${done} ${remaining} rows are still under another key${unreadable > 0 ? `, ${unreadable} of them cannot be read: their connections have to be reconnected` : '; run it again'}.\n`;
}

keepFilesPrivate();
asService(() => main(process.argv.slice(2))).then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.stderr.write(`${failureText(error)}\n`);
    process.exitCode = 1;
  },
);
