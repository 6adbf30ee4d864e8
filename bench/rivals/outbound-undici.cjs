// B5, the limit: undici as it is.
const { Agent } = require('undici');
const { serveLoop } = require('./call-loop.cjs');

const agent = new Agent({ connections: 64, pipelining: 1 });
const headers = { authorization: 'Bearer bench-token', accept: 'application/json' };
serveLoop(async () => {
  const { statusCode, body } = await agent.request({ origin: process.env.ORIGIN, path: '/v1/things', method: 'GET', headers });
  const { ok } = await body.json();
  if (statusCode !== 200 || ok !== true) throw new Error(`answered ${statusCode}`);
});
