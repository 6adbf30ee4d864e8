// The effect of every rival's handler: one row, committed by itself. There is no unique key, so an effect done twice is two rows.
const { Pool } = require('pg');

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 });

module.exports.pool = pool;
module.exports.effect = (eventId) =>
  pool.query({ name: 'effect', text: 'INSERT INTO bench_effects (event_id) VALUES ($1)', values: [eventId] });

/** Events of a series as jobs carry them, in chunks. */
module.exports.eachChunk = async (query, work) => {
  const count = Number(query.get('count'));
  const note = 'x'.repeat(800);
  for (let from = 0; from < count; from += 1_000) {
    const numbers = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => from + index);
    await work(
      numbers.map((number) => ({ id: `evt_${query.get('series')}_${number}`, type: 'bench.happened', data: { object: { note } } })),
    );
  }
};
