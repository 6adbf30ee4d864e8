import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Controller, Module, Param, Post, Query } from '@nestjs/common';
import { drainAndClose } from '../../../src/http-api/edge/drain';
import { createLogger } from '../../../src/http-api/logging';
import { createApp, listen, tellParent } from '../../../src/bootstrap';
import { systemClock, type Clock } from '../../../src/clock';
import { readEnvironment } from '../../../src/config/env';
import { PROVIDER_SETTINGS } from '../../../src/providers';
import { ConnectionRepository, toRef } from '../../../src/integrations';
import { ConnectionsModule } from '../../../src/integrations/connections/connections.module';
import { TokenRepository } from '../../../src/integrations/connections/tokens/token.repository';
import { ConnectModule } from '../../../src/integrations/connect/connect.module';
import { TokenService } from '../../../src/integrations/connections/tokens/token.service';

/** Asks for tokens as callers within the process do, and tells of them what the sandbox's ledger tells: the first digits of their hash. */
@Controller('v1/probe/:id')
class TokenProbe {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly tokens: TokenService,
    private readonly stored: TokenRepository,
  ) {}

  /** So many callers at once. */
  @Post('tokens')
  async ask(
    @Param('id') id: string,
    @Query('callers') callers: string,
  ): Promise<{ tokens: Record<string, number>; failures: Record<string, number> }> {
    const connection = toRef((await this.connections.findById(id))!);
    const settled = await Promise.allSettled(Array.from({ length: Number(callers) }, () => this.tokens.accessToken(connection)));
    const seen = { tokens: {} as Record<string, number>, failures: {} as Record<string, number> };
    for (const each of settled) {
      if (each.status === 'fulfilled') add(seen.tokens, createHash('sha256').update(each.value.accessToken).digest('hex').slice(0, 12));
      else add(seen.failures, String((each.reason as { code?: unknown }).code));
    }
    return seen;
  }

  /** Reads and decrypts from the database so many times. */
  @Post('decryptions')
  async decrypt(@Param('id') id: string, @Query('reads') reads: string): Promise<{ ok: number; failures: Record<string, number> }> {
    const seen = { ok: 0, failures: {} as Record<string, number> };
    for (let left = Number(reads); left > 0; left -= 50) {
      const settled = await Promise.allSettled(Array.from({ length: Math.min(left, 50) }, () => this.stored.load(id)));
      for (const each of settled) {
        if (each.status === 'fulfilled' && each.value) seen.ok++;
        else add(seen.failures, each.status === 'fulfilled' ? 'missing' : String((each.reason as { code?: unknown }).code));
      }
    }
    return seen;
  }
}

@Module({ imports: [ConnectionsModule, ConnectModule], controllers: [TokenProbe] })
class TokenProbeModule {}

/** The service with the probe. CLOCK_SHIFT_FILE: a file with the ms that its clock is ahead. */
async function main(): Promise<void> {
  const settings = readEnvironment(PROVIDER_SETTINGS);
  const shiftFile = process.env['CLOCK_SHIFT_FILE'];
  const app = await createApp(settings, {
    logger: createLogger(settings),
    imports: [TokenProbeModule],
    ...(shiftFile && { clock: shiftedClock(shiftFile) }),
  });
  await listen(app, settings);
  tellParent(settings);
  process.stdout.write(`ready ${process.pid}\n`);
  process.once('SIGTERM', () => void drainAndClose(app).then(() => process.exit(0)));
}

/** Waits are real ones: what waits when the clock is moved waits on. */
function shiftedClock(file: string): Clock {
  let shift = 0;
  const read = () => (shift = Number(readFileSync(file, 'utf8')) || 0);
  read();
  setInterval(read, 50).unref();
  return { ...systemClock, now: () => systemClock.now() + shift, sleep: (ms, signal) => systemClock.sleep(ms, signal) };
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
