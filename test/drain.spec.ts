import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '../src/http-api';
import { drainAndClose } from '../src/http-api/edge/drain';
import { startTestApp } from './support/test-app';

let release: (() => void) | undefined;

@Public()
@Controller('probe')
class SlowController {
  @Get('slow')
  async slow() {
    await new Promise<void>((resolve) => (release = resolve));
    return { whole: true };
  }
  @Get('endless')
  endless(@Res() reply: FastifyReply) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.raw.write(':\n\n');
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

it('finishes what is under way, takes nothing new, and does not wait for a stream for ever', async () => {
  const test = await startTestApp({ imports: [SlowModule], sandbox: false });
  const stream = (await fetch(`${test.url}/probe/endless`)).body?.getReader();
  await stream?.read();
  const slow = fetch(`${test.url}/probe/slow`);
  await until(() => release !== undefined);

  const started = performance.now();
  const drained = drainAndClose(test.app, { noticeMs: 300, finishMs: 1_500 });
  const ready = await fetch(`${test.url}/health/ready`);
  expect([ready.status, ready.headers.get('connection'), ((await ready.json()) as { code: string }).code]).toEqual([
    503,
    'close',
    'shutting_down',
  ]);
  await until(() =>
    fetch(`${test.url}/health/live`).then(
      () => false,
      () => true,
    ),
  );
  release?.();
  const answer = await slow;
  expect([answer.status, await answer.json()]).toEqual([200, { whole: true }]);
  await drained;
  await expect(stream?.read()).rejects.toThrow();
  expect(performance.now() - started).toBeLessThan(10_000);
  await test.close();
});

async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await new Promise((resolve) => setTimeout(resolve, 10));
}
