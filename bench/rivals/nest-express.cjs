// What the two Nest rivals have in common: Nest on Express with the raw body, as https://docs.nestjs.com/faq/raw-body shows it,
// and a controller that checks the signature with Stripe's own library and hands the event to `store`.
require('reflect-metadata');
const { Controller, HttpCode, Module, Post, Req } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const Stripe = require('stripe');

const stripe = new Stripe('sk_test_bench');

function decorated(store) {
  class WebhooksController {
    async receive(request) {
      const event = stripe.webhooks.constructEvent(request.rawBody, request.headers['stripe-signature'], process.env.SECRET);
      await store(event);
      return { received: true };
    }
  }
  const method = Object.getOwnPropertyDescriptor(WebhooksController.prototype, 'receive');
  HttpCode(200)(WebhooksController.prototype, 'receive', method);
  Post('stripe')(WebhooksController.prototype, 'receive', method);
  Req()(WebhooksController.prototype, 'receive', 0);
  Controller('webhooks')(WebhooksController);
  class AppModule {}
  Module({ controllers: [WebhooksController] })(AppModule);
  return AppModule;
}

module.exports.serve = async (store) => {
  const app = await NestFactory.create(decorated(store), { rawBody: true, logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  process.send?.({ listening: app.getHttpServer().address().port });
};
