// B2 and B3: bullmq. The job's effect is a row in Postgres.
const { Queue, Worker } = require('bullmq');
const { serve } = require('./bare-http.cjs');
const { effect, eachChunk } = require('./effects.cjs');

const { hostname, port, pathname } = new URL(process.env.REDIS_URL);
const options = {
  connection: { host: hostname, port: Number(port || 6379), db: Number(pathname.slice(1) || 0), maxRetriesPerRequest: null },
  prefix: process.env.PREFIX,
};
const queue = new Queue('events', options);
const worker = new Worker('events', ({ data }) => effect(data.id).then(() => undefined), {
  ...options,
  concurrency: Number(process.env.CONCURRENCY),
});
worker.on('error', (error) => console.error(error));

const optionsOf = ({ id }) => ({ jobId: id, removeOnComplete: true });
const add = (body) => {
  const event = JSON.parse(body);
  return queue.add('event', event, optionsOf(event));
};
Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]).then(() =>
  serve(add, {
    pause: () => queue.pause(),
    fill: (query) => eachChunk(query, (events) => queue.addBulk(events.map((data) => ({ name: 'event', data, opts: optionsOf(data) })))),
    drain: () => queue.resume(),
  }),
);
