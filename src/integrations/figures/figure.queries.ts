/** How long a bucket is, ms. */
export const SLOT_MS = 5 * 60_000;

/** In place of an organization: the sums of all, and of what is nobody's. No organization has this name. */
export const EVERYBODY = '';

export const COUNTS = ['ok', 'failed', 'limited', 'events', 'event_failures', 'delivered'] as const;
export const TIMES = ['last_ok_at', 'last_failed_at'] as const;
export const HISTOGRAMS = ['latency', 'lag', 'delivery_lag'] as const;

/** Step by step; where one side has none, the other's. */
const summed = (column: string) =>
  `ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0) FROM unnest(f.${column}, excluded.${column}) WITH ORDINALITY AS u (a, b, step) ORDER BY step)`;

/**
 * Adds: what several processes counted of the same minutes is the sum of it. $1 the rows as JSON, times in ms.
 * One statement every two seconds, whatever happened in them.
 */
export const ADD_FIGURES = `
  INSERT INTO figures AS f (tenant, slot, provider, ${[...COUNTS, ...TIMES, ...HISTOGRAMS].join(', ')})
  SELECT tenant, to_timestamp(slot / 1000), provider, ${COUNTS.join(', ')}, ${TIMES.map((time) => `to_timestamp(${time} / 1000)`).join(', ')}, ${HISTOGRAMS.join(', ')}
  FROM json_to_recordset($1::json) AS r (tenant text, slot float8, provider text, ${COUNTS.map((count) => `${count} int`).join(', ')},
    ${TIMES.map((time) => `${time} float8`).join(', ')}, ${HISTOGRAMS.map((histogram) => `${histogram} int[]`).join(', ')})
  ON CONFLICT (tenant, slot, provider) DO UPDATE SET ${[
    ...COUNTS.map((count) => `${count} = f.${count} + excluded.${count}`),
    ...TIMES.map((time) => `${time} = greatest(f.${time}, excluded.${time})`),
    ...HISTOGRAMS.map((histogram) => `${histogram} = ${summed(histogram)}`),
  ].join(', ')}`;

/** The sums of a column's histogram over the slots that $1 to $4 say, by group. */
const stepsOf = (column: string, group: string) => `
  SELECT ${group}, '${column}' AS of, u.step, sum(u.count)::int AS count FROM chosen, unnest(${column}) WITH ORDINALITY AS u (count, step) GROUP BY ${group}, u.step`;

const CHOSEN = `
  WITH chosen AS MATERIALIZED (
    SELECT *, floor((extract(epoch FROM slot) - extract(epoch FROM $2::timestamptz)) / 3600)::int AS hour
    FROM figures WHERE tenant = $1 AND slot >= $2::timestamptz AND ($3::text IS NULL OR provider = $3)),`;

/**
 * Sums by provider, and by provider and hour since $2. $1 whose, $2 since when, $3 of which provider (null: of all).
 * A row for a group; its histograms as pairs of step and count.
 */
const sumsBy = (group: string) => `${CHOSEN}
  steps AS (${HISTOGRAMS.map((histogram) => stepsOf(histogram, group)).join(' UNION ALL ')}),
  histograms AS (SELECT ${group}, ${HISTOGRAMS.map((histogram) => `json_agg(json_build_array(step, count)) FILTER (WHERE of = '${histogram}') AS ${histogram}`).join(', ')} FROM steps GROUP BY ${group}),
  sums AS (SELECT ${group}, ${COUNTS.map((count) => `sum(${count})::int AS ${count}`).join(', ')}, ${TIMES.map((time) => `max(${time}) AS ${time}`).join(', ')} FROM chosen GROUP BY ${group})
  SELECT * FROM sums LEFT JOIN histograms USING (${group})`;

export const SUMS_BY_PROVIDER = sumsBy('provider');
export const SUMS_BY_HOUR = sumsBy('provider, hour');
