// B7: how refreshing is usually written. LOCK=none: whoever finds the token expired refreshes it. LOCK=redis: within SET NX PX 10000, the others look
// again until the lock is gone. The pair stands in a table of its own.
const { randomUUID } = require('node:crypto');
const Redis = require('ioredis');
const { Pool } = require('pg');
const { serveLoop } = require('./call-loop.cjs');

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const redis = new Redis(process.env.REDIS_URL);
const KEY = `${process.env.PREFIX}:lock`;
const LOCK_MS = 10_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const read = async () => (await pool.query('SELECT access_token, refresh_token, expires_at FROM rival_tokens')).rows[0];
const isGood = ({ expires_at }) => expires_at.getTime() > Date.now();

async function refresh({ refresh_token }) {
  const { TOKEN_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id: CLIENT_ID, client_secret: CLIENT_SECRET });
  const answer = await (await fetch(TOKEN_URL, { method: 'POST', body })).json();
  if (!answer.ok) throw new Error(answer.error);
  await pool.query(`UPDATE rival_tokens SET access_token = $1, refresh_token = $2, expires_at = now() + interval '1 hour'`, [
    answer.access_token,
    answer.refresh_token,
  ]);
  return answer.access_token;
}

async function unlocked() {
  const row = await read();
  return isGood(row) ? row.access_token : refresh(row);
}

async function locked() {
  for (;;) {
    const row = await read();
    if (isGood(row)) return row.access_token;
    const mine = randomUUID();
    if ((await redis.set(KEY, mine, 'PX', LOCK_MS, 'NX')) === 'OK') {
      try {
        const again = await read();
        return isGood(again) ? again.access_token : await refresh(again);
      } finally {
        if ((await redis.get(KEY)) === mine) await redis.del(KEY);
      }
    }
    await sleep(100);
  }
}

// A caller that comes away without a token is not an error of the run: the book of the provider tells.
serveLoop(() => (process.env.LOCK === 'redis' ? locked() : unlocked()).catch(() => undefined));
