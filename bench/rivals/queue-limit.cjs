// B2 and B3, the limit: two commits in a row for a delivery; for what is stored, 200 rows a transaction with SKIP LOCKED, each row's
// effect by a statement of its own, as a handler has it. By hand, for this one purpose.
const { serve } = require('./bare-http.cjs');
const { effect, eachChunk, pool } = require('./effects.cjs');

const LOOPS = Number(process.env.CONCURRENCY);
const INSERT = { name: 'insert', text: 'INSERT INTO limit_events (event_id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING' };
const CLAIM = {
  name: 'claim',
  text: `UPDATE limit_events SET done = true WHERE event_id = ANY (ARRAY(
    SELECT event_id FROM limit_events WHERE NOT done ORDER BY no LIMIT 200 FOR UPDATE SKIP LOCKED)) RETURNING event_id, body`,
};

async function loop() {
  const client = await pool.connect();
  for (;;) {
    await client.query('BEGIN');
    const { rows } = await client.query(CLAIM);
    for (const { body } of rows) {
      await client.query({ name: 'effect', text: 'INSERT INTO bench_effects (event_id) VALUES ($1)', values: [JSON.parse(body).id] });
    }
    await client.query('COMMIT');
    if (rows.length === 0) break;
  }
  client.release();
}

serve(
  async (body) => {
    const { id } = JSON.parse(body);
    await pool.query({ ...INSERT, values: [id, body] });
    // not awaited: the answer follows the first commit
    effect(id).catch((error) => console.error(error));
  },
  {
    pause: () => undefined,
    fill: (query) =>
      eachChunk(query, (events) =>
        pool.query('INSERT INTO limit_events (event_id, body) SELECT * FROM unnest($1::text[], $2::bytea[])', [
          events.map(({ id }) => id),
          events.map((event) => Buffer.from(JSON.stringify(event))),
        ]),
      ),
    drain: () => void Promise.all(Array.from({ length: LOOPS }, loop)),
  },
);
