import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppModule } from '../src/app.module';
import { configureApp, listen } from '../src/bootstrap';
import { SETTINGS } from '../src/config/config.module';
import { loadSettings, type Settings } from '../src/config/env';
import { drainAndClose } from '../src/http-api/edge/drain';
import { EdgeAdapter } from '../src/http-api/edge/edge-adapter';
import { Public } from '../src/http-api';
import { ProviderRegistry } from '../src/integrations';
import { PROVIDER_SETTINGS } from '../src/providers';

/** Where the host keeps its secrets: something that answers later. */
@Injectable()
class Vault {
  private readonly secrets = { API_JWT_SECRET: randomUUID() + randomUUID() };

  read(): Promise<{ API_JWT_SECRET: string }> {
    return Promise.resolve(this.secrets);
  }
}

@Module({ providers: [Vault], exports: [Vault] })
class VaultModule {}

@Controller('shop')
class ShopController {
  constructor(private readonly providers: ProviderRegistry) {}

  @Public()
  @Get()
  show(): { providers: number } {
    return { providers: this.providers.all().length };
  }
}

const env = { NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'silent', SANDBOX: 'off' };

describe('a Nest application of somebody else', () => {
  let app: NestFastifyApplication;
  let folder: string;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trestle-host-'));

    @Module({
      imports: [
        VaultModule,
        AppModule.forRootAsync({
          imports: [VaultModule],
          inject: [Vault],
          useFactory: async (vault: Vault) => loadSettings({ ...env, DATA_DIR: folder, ...(await vault.read()) }, PROVIDER_SETTINGS),
        }),
      ],
      controllers: [ShopController],
    })
    class HostModule {}

    const adapter = new EdgeAdapter({ trustedProxies: [], publicUrl: 'http://127.0.0.1' });
    app = await NestFactory.create<NestFastifyApplication>(HostModule, adapter, { bodyParser: false, abortOnError: false, logger: false });
    await configureApp(app);
    url = await listen(app, app.get<Settings>(SETTINGS));
  });

  afterAll(async () => {
    if (app) await drainAndClose(app, { noticeMs: 0, finishMs: 2_000 });
    await rm(folder, { recursive: true, force: true });
  });

  it('has its own routes beside those of Trestle, and its injectables', async () => {
    const answer = await fetch(`${url}/shop`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ providers: expect.any(Number) as number });
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('is refused with a plain adapter, with the reason', async () => {
    const plain = { getHttpAdapter: () => ({ getType: () => 'express' }) } as unknown as NestFastifyApplication;
    await expect(configureApp(plain)).rejects.toThrow(/new EdgeAdapter.*on Fastify.*new ExpressEdgeAdapter.*reads a body before/);
  });

  it('knows callers by the secret that its settings were given later', async () => {
    const { API_JWT_SECRET } = await app.get(Vault, { strict: false }).read();
    const token = await new SignJWT({ tenant: 'acme', role: 'user' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('u1')
      .setJti(randomUUID())
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(API_JWT_SECRET));
    const answer = await fetch(`${url}/v1/providers`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    expect((await fetch(`${url}/v1/providers`)).status).toBe(401);
  });
});
