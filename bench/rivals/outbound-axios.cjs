// B5, the usual choice: axios with axios-retry behind bottleneck, as their manuals show, on kept-alive sockets.
const { Agent } = require('node:http');
const axios = require('axios');
const axiosRetry = require('axios-retry').default;
const Bottleneck = require('bottleneck');
const { serveLoop } = require('./call-loop.cjs');

const client = axios.create({
  baseURL: process.env.ORIGIN,
  timeout: 30_000,
  httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }),
  headers: { authorization: 'Bearer bench-token', accept: 'application/json' },
});
axiosRetry(client, { retries: 3, retryDelay: axiosRetry.exponentialDelay });
const limiter = new Bottleneck({ maxConcurrent: 64 });
serveLoop(async () => {
  const { status, data } = await limiter.schedule(() => client.get('/v1/things'));
  if (status !== 200 || data.ok !== true) throw new Error(`answered ${status}`);
});
