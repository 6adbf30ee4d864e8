// B6, the limit: one PING a call.
const Redis = require('ioredis');
const { serveLoop } = require('./call-loop.cjs');

const redis = new Redis(process.env.REDIS_URL);
serveLoop(async () => {
  if ((await redis.ping()) !== 'PONG') throw new Error('no answer');
});
