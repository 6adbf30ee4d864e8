import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { configureApp, drainAndClose, listen, loadSettings, PROVIDER_SETTINGS, ProviderRegistry, TrestleModule } from 'trestle';
import { ExpressEdgeAdapter } from 'trestle/express';

/** The shop's own routes, on Express as ever; what Trestle has is there to be injected. */
@Controller('orders')
export class OrdersController {
  constructor(private readonly providers: ProviderRegistry) {}

  @Get('ways-to-connect')
  waysToConnect(): string[] {
    return this.providers.offered().map(({ name }) => name);
  }

  @Post()
  make(@Body() { item }: { item: string }): { item: string } {
    return { item };
  }
}

export interface RunningShop {
  readonly url: string;
  close(): Promise<void>;
}

/** @param env settings of Trestle, by their names in the environment */
export async function startShop(env: Record<string, string>): Promise<RunningShop> {
  const settings = loadSettings(env, PROVIDER_SETTINGS);

  @Module({ imports: [TrestleModule.forRoot(settings, { prefix: 'integrations' })], controllers: [OrdersController] })
  class AppModule {}

  const app = await NestFactory.create(AppModule, new ExpressEdgeAdapter(settings), { abortOnError: false });
  await configureApp(app);
  const url = await listen(app, settings);
  return { url, close: () => drainAndClose(app, { noticeMs: 0, finishMs: 2_000 }) };
}
