// B6: rate-limiter-flexible on Redis, one point a call.
const Redis = require('ioredis');
const { RateLimiterRedis } = require('rate-limiter-flexible');
const { serveLoop } = require('./call-loop.cjs');

const limiter = new RateLimiterRedis({
  storeClient: new Redis(process.env.REDIS_URL),
  keyPrefix: process.env.PREFIX,
  points: 1e9,
  duration: 1,
});
serveLoop(async () => {
  const { remainingPoints } = await limiter.consume('account');
  if (!(remainingPoints > 0)) throw new Error('refused');
});
