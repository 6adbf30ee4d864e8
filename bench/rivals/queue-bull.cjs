// B2 and B3: bull. The job's effect is a row in Postgres.
const Queue = require('bull');
const { serve } = require('./bare-http.cjs');
const { effect, eachChunk } = require('./effects.cjs');

const queue = new Queue('events', process.env.REDIS_URL, { prefix: process.env.PREFIX });
queue.process(Number(process.env.CONCURRENCY), ({ data }) => effect(data.id).then(() => undefined));

const add = (body) => {
  const event = JSON.parse(body);
  return queue.add(event, { jobId: event.id, removeOnComplete: true });
};
queue.isReady().then(() =>
  serve(add, {
    pause: () => queue.pause(),
    fill: (query) =>
      eachChunk(query, (events) => queue.addBulk(events.map((data) => ({ data, opts: { jobId: data.id, removeOnComplete: true } })))),
    drain: () => queue.resume(),
  }),
);
