import type { LedgerEntry } from '../support/sandbox-process';
import { onTrial, sleep, verdict } from '../support/way-out-trial';
import { productUser, tally } from '../support/product-user';
import type { Fault } from './lib/fault';

/** Forms of Retry-After, and how long they ask to stay away, ms; `never`: for longer than anybody waits here. */
const FORMS: readonly { name: string; header: () => string | null; waitMs: number | 'never' }[] = [
  { name: 'seconds', header: () => '2', waitMs: 2_000 },
  { name: 'fraction', header: () => '1.5', waitMs: 1_500 },
  // Whole seconds: a date is at least this far away from the answer's own.
  { name: 'date', header: () => new Date(Date.now() + 4_000).toUTCString(), waitMs: 3_000 },
  { name: 'absent', header: () => null, waitMs: 0 },
  { name: 'a year', header: () => '31536000', waitMs: 'never' },
  { name: 'negative', header: () => '-5', waitMs: 0 },
  { name: 'garbage', header: () => 'soon, perhaps', waitMs: 0 },
];
const CALLERS = 30;
/** Until a refusal that the provider has sent is read here, on a busy machine. */
const IN_FLIGHT_MS = 500;
const PATH = 'gmail/v1/users/me/profile';
const ENDPOINT = 'gmail.users.getProfile';

export const fault: Fault = {
  id: 'F12',
  promise:
    'after a 429 no process sends anything before the allowed time, whatever form Retry-After has; it is capped, and nothing crashes',
  stages: ['server', 'embedded'],
  boundS: 420,
  run: (stage, services) =>
    onTrial(stage, services, {}, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      for (const [index, form] of FORMS.entries()) {
        const account = `person${index}@acme.test`;
        const id = await user.connect('google', { account });
        const call = (member: number) => user.call(`/v1/connections/${id}/proxy/${PATH}`, { member });
        const limit = (count?: number) =>
          sandbox.fault({
            kind: 'status',
            status: 429,
            provider: 'google',
            endpoint: ENDPOINT,
            account,
            retryAfter: form.header(),
            ...(count && { count }),
          });
        const since = await sandbox.lastSeq();
        await limit(1);
        const first = call(0);
        const refused = await firstRefusal(() => sandbox.requests({ endpoint: ENDPOINT, account, since }));
        await sleep(IN_FLIGHT_MS);
        const others = await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
        const answers = [await first, ...others];
        const allowedAt = form.waitMs === 'never' ? Number.POSITIVE_INFINITY : endOf(refused) + form.waitMs;
        const early = (await sandbox.requests({ endpoint: ENDPOINT, account, since })).filter(
          ({ seq, at }) => seq > refused.seq && at < allowedAt,
        );
        checks[`${form.name}: nothing early`] = early.length === 0;
        if (form.waitMs === 'never') {
          // Told at once, with a time that a person can use.
          const waits = answers.map(({ body }) => (body as { retryAfter?: number }).retryAfter ?? 0);
          checks[`${form.name}: capped to an hour`] =
            answers.every(({ status }) => status === 429) && Math.max(...waits) <= 3_600 && Math.max(...waits) > 3_000;
          checks[`${form.name}: told at once`] = others.every(({ durationMs }) => durationMs < 3_000);
        } else checks[`${form.name}: all served`] = answers.every(({ status }) => status === 200);
        seen.push(`${form.name}: ${early.length} early, ${tally(answers)}`);
      }

      // A provider that refuses everything for a while: after each refusal everybody stays away.
      const account = 'storm@acme.test';
      const id = await user.connect('google', { account });
      const since = await sandbox.lastSeq();
      await sandbox.fault({ kind: 'status', status: 429, provider: 'google', endpoint: ENDPOINT, account, retryAfter: '1' });
      const storm = Promise.all(
        Array.from({ length: CALLERS }, (_, caller) => user.call(`/v1/connections/${id}/proxy/${PATH}`, { member: caller })),
      );
      await sleep(4_500);
      await sandbox.clearFaults();
      const answers = await storm;
      const requests = await sandbox.requests({ endpoint: ENDPOINT, account, since });
      const refusals = requests.filter(({ status }) => status === 429);
      // What was under way at the first refusal is one wave; each further one comes a second after the last refusal of the one before.
      const waves = wavesOf(requests);
      const early = waves.filter((wave, index) => index > 0 && wave[0]!.at < endOf(waves[index - 1]!.at(-1)!) + 1_000);
      checks['storm: nothing early'] = early.length === 0;
      checks['storm: few ask whether it is over'] = waves.slice(1, -1).every((wave) => wave.length <= CALLERS / 3);
      checks['storm: nobody crashed'] = cluster.members.every(({ process }) => process.child.exitCode === null);
      seen.push(
        `storm: ${refusals.length} refusals, in waves of ${waves.map(({ length }) => length).join(', ')}, ${early.length} early, ${tally(answers)}`,
      );
      return verdict(checks, seen.join('; '));
    }),
};

function endOf({ at, durationMs = 0 }: LedgerEntry): number {
  return at + durationMs;
}

/** Requests that came without half a second between them. */
function wavesOf(requests: readonly LedgerEntry[]): LedgerEntry[][] {
  const waves: LedgerEntry[][] = [];
  for (const request of requests) {
    const last = waves.at(-1);
    if (last && request.at - last.at(-1)!.at < 500) last.push(request);
    else waves.push([request]);
  }
  return waves;
}

async function firstRefusal(requests: () => Promise<readonly LedgerEntry[]>): Promise<LedgerEntry> {
  for (let look = 0; look < 1_000; look++) {
    const refused = (await requests()).find(({ status }) => status === 429);
    if (refused) return refused;
    await sleep(10);
  }
  throw new Error('The provider never refused.');
}
