// B2 and B3: graphile-worker, jobs and effects in the same Postgres. CONCURRENCY 1 is its default, more is tuned.
const { Logger, makeWorkerUtils, run } = require('graphile-worker');
const { serve } = require('./bare-http.cjs');
const { effect, eachChunk, pool } = require('./effects.cjs');

const logger = new Logger(() => (level, message) => level === 'error' && console.error(message));
const concurrency = Number(process.env.CONCURRENCY);
const start = () =>
  run({
    connectionString: process.env.DATABASE_URL,
    logger,
    noHandleSignals: true,
    concurrency,
    maxPoolSize: Math.max(10, concurrency + 4),
    taskList: { event: ({ id }) => effect(id).then(() => undefined) },
  });

async function main() {
  const utils = await makeWorkerUtils({ connectionString: process.env.DATABASE_URL, logger, maxPoolSize: 20 });
  await utils.migrate();
  let runner = process.env.START === 'no' ? undefined : await start();
  serve(
    (body) => {
      const event = JSON.parse(body);
      return utils.addJob('event', event, { jobKey: event.id });
    },
    {
      pause: async () => {
        await runner?.stop();
        runner = undefined;
      },
      fill: (query) =>
        eachChunk(query, (events) =>
          pool.query(
            `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(SELECT ROW('event', e, NULL, NULL, NULL, e ->> 'id', NULL, NULL)::graphile_worker.job_spec FROM json_array_elements($1::json) e))`,
            [JSON.stringify(events)],
          ),
        ),
      drain: async () => {
        runner = await start();
      },
    },
  );
}
main();
