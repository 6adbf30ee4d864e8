// B8: the least that a Nest service on Fastify can be. From the project's own packages, so that both load the same Nest.
const { createRequire } = require('node:module');
const { join } = require('node:path');
const load = createRequire(join(__dirname, '../../package.json'));
load('reflect-metadata');
const { Controller, Get, Module } = load('@nestjs/common');
const { NestFactory } = load('@nestjs/core');
const { FastifyAdapter } = load('@nestjs/platform-fastify');

class HealthController {
  ready() {
    return { status: 'ok' };
  }
}
Get('ready')(HealthController.prototype, 'ready', Object.getOwnPropertyDescriptor(HealthController.prototype, 'ready'));
Controller('health')(HealthController);
class AppModule {}
Module({ controllers: [HealthController] })(AppModule);

NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] }).then(async (app) => {
  await app.listen(0, '127.0.0.1');
  process.send?.({ listening: app.getHttpServer().address().port });
});
