// B1, rival A: the usual tutorial. An event is a job in Redis once it is answered; its id keeps it from being queued twice.
const Queue = require('bull');
const { serve } = require('./nest-express.cjs');

const queue = new Queue('webhooks', process.env.REDIS_URL, { prefix: process.env.PREFIX });

queue.isReady().then(() => serve((event) => queue.add(event, { jobId: event.id })));
