import 'reflect-metadata';
import { drainAndClose } from '../../src/http-api/edge/drain';
import { createLogger } from '../../src/http-api/logging';
import { createApp, listen, tellParent } from '../../src/bootstrap';
import { readEnvironment } from '../../src/config/env';
import { PROVIDER_SETTINGS } from '../../src/providers';
import { answerCollections } from './collected-memory';
import { EffectModule } from './effect.module';

/** The service as `src/main.ts` starts it, with the benchmarks' handler as the product's own. */
async function main(): Promise<void> {
  const settings = readEnvironment(PROVIDER_SETTINGS);
  const app = await createApp(settings, { logger: createLogger(settings), imports: [EffectModule] });
  await listen(app, settings);
  tellParent(settings);
  answerCollections();
  process.once('SIGTERM', () => void drainAndClose(app).then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
