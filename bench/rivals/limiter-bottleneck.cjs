// B6: bottleneck, clustered on Redis.
const Redis = require('ioredis');
const Bottleneck = require('bottleneck');
const { serveLoop } = require('./call-loop.cjs');

const connection = new Bottleneck.IORedisConnection({ client: new Redis(process.env.REDIS_URL) });
const limiter = new Bottleneck({ id: process.env.PREFIX, datastore: 'ioredis', connection, clearDatastore: true, reservoir: 1e9 });
const nothing = async () => true;
serveLoop(async () => {
  if (!(await limiter.schedule(nothing))) throw new Error('not run');
});
