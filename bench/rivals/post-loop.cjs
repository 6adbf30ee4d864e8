// B12, the limit: POSTs of 1 KiB from memory, signed, over sockets that stay open; nothing is stored.
const { createHmac } = require('node:crypto');
const { Agent } = require('undici');
const { serveLoop } = require('./call-loop.cjs');

const agent = new Agent({ connections: 64, pipelining: 1 });
const targets = process.env.TARGETS.split(',');
let round = 0;
serveLoop(async (call) => {
  if (call === 0) round++;
  const id = `loop_${round}_${call}`;
  const body = JSON.stringify({ type: 'webhook.received', data: { key: id, note: 'x'.repeat(900) } });
  const timestamp = Math.floor(Date.now() / 1_000);
  const signature = createHmac('sha256', 'secret').update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
  const answered = await agent.request({ origin: process.env.ORIGIN, path: targets[call % targets.length], method: 'POST', headers, body });
  await answered.body.dump();
  if (answered.statusCode !== 204) throw new Error(`answered ${answered.statusCode}`);
});
