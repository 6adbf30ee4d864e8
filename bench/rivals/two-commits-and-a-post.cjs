// B12, the limit of one event when idle: two commits, then one POST. GET /run does them one after another.
const { Agent } = require('undici');
const { Client } = require('pg');
const { serveLoop } = require('./call-loop.cjs');

const agent = new Agent({ connections: 4, pipelining: 1 });
const client = new Client({ connectionString: process.env.DATABASE_URL });
let run = 0;
const ready = client.connect().then(() => client.query('CREATE TABLE IF NOT EXISTS two_commits (id text, body text)'));
serveLoop(async (call) => {
  await ready;
  const id = `two_${process.pid}_${run++}_${call}`;
  const body = JSON.stringify({ type: 'webhook.received', data: { key: id, note: 'x'.repeat(900) } });
  for (let commit = 0; commit < 2; commit++)
    await client.query({ name: 'add', text: 'INSERT INTO two_commits VALUES ($1, $2)', values: [id, body] });
  const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-signature': 'v1,-' };
  const answered = await agent.request({ origin: process.env.ORIGIN, path: '/idle', method: 'POST', headers, body });
  await answered.body.dump();
});
