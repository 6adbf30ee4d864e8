import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

/** What real providers and networks did, case by case, and the tests that hold the answer: the spec, then the names of its tests. */
const CASES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'A1: a channel that is refused for our address leaves the connection, and the operator is told once': {
    'test/operator-alerts.spec.ts': [
      'by an address that is not verified goes on syncing, renews no token for it, and the operator reads PUBLIC_URL',
    ],
  },
  "A2: a client that was deleted is the operator's": {
    'test/operator-alerts.spec.ts': ['by %s reads whose it is to act, and works again by itself'],
    'src/integrations/connections/tokens/refusals.spec.ts': [
      "is the operator's where our client is refused: the connection stays, and works again by itself",
    ],
  },
  'A3: what the organization forbids names its administrator': {
    'test/operator-alerts.spec.ts': ['by %s reads whose it is to act, and works again by itself'],
    'src/integrations/connections/tokens/refusals.spec.ts': ['names the administrator where the organization forbids it'],
  },
  'A4: a code that nobody knows says nothing of signing in, alerts once and pauses longer and longer': {
    'test/operator-alerts.spec.ts': [
      'by %s reads whose it is to act, and works again by itself',
      "is the user's, the operator's, the organization's or nobody's that is known, at every provider and with every status",
    ],
    'src/integrations/connections/tokens/refusals.spec.ts': [
      'says nothing about signing in where the code is unknown, keeps the connection, and asks with growing pauses',
    ],
  },
  'B1: a mailbox of 210 keeps them where the newest 200 are read': {
    'test/field-google.spec.ts': ['keeps 210 mails where a full run reads the newest 200'],
  },
  'B2: no list that is cut sweeps': {
    'src/integrations/sync/runs/partial-lists.spec.ts': [
      'removes nothing, however it was cut; a whole one removes what is gone and no more',
    ],
    'src/integrations/sync/runs/sync-jobs.spec.ts': ['sweeps what is gone, and only after its last page'],
    'src/integrations/providers/plain/plain-sync.service.spec.ts': [
      '%s',
      'only with all the scopes that it needs for that, and not where they are not known',
    ],
    'test/declared-resources.spec.ts': ['asks for nothing that leaves some out, where it is declared to be whole'],
    'src/providers/stripe/stripe.spec.ts': ['takes nothing of a test clock for gone, which lists leave out that do not name it'],
    'src/providers/slack/slack-org-wide.spec.ts': ['remembers over an interruption which workspaces it could not read'],
  },
  'C1: of three calendars one cannot be watched': {
    'test/field-google.spec.ts': ['two are watched in the first round where the first cannot be, and that is not asked at each sync'],
    'src/integrations/sync/watches/watch.service.spec.ts': [
      'are made for the parts that can be watched; the one that cannot is asked again ever more rarely',
    ],
  },
  'C2: of three calendars one may not be read': {
    'test/field-google.spec.ts': ['two are read and watched where one may not be read, which the run names'],
    'src/integrations/sync/runs/sync-parts.spec.ts': [
      'is told by the run and the connection, with when it is tried again; the rest counts and is watched',
      'is left out of the syncs until its time has come, ever more rarely, and once a day at the least',
    ],
  },
  'C3: a last page without a sync token': {
    'test/field-google.spec.ts': ['the one whose last page had no sync token is read whole the next time, and the others have their turn'],
  },
  'C4: a restricted key that may not read events': {
    'test/failing-parts.spec.ts': ['reads the lists with a key that may not read events, whole and what changes later'],
    'src/providers/stripe/stripe.spec.ts': [
      'learns the account of a restricted key from the refusal, and checks that it may read customers',
    ],
  },
  'D1: a cancelled occurrence of which nothing but the id is told': {
    'test/field-google.spec.ts': [
      'keeps an occurrence that is called off of which nothing but the id is told',
      'keeps an occurrence that is called off there, in whatever run, until the series goes',
    ],
    'src/providers/google/google.spec.ts': [
      'keeps a cancelled occurrence of which nothing but the id is told, with its series and its start',
    ],
  },
  'D2: a series goes with its exceptions': {
    'test/field-google.spec.ts': ['goes with its exceptions, the one that is told of and the one that is not, in one run'],
    'src/integrations/sync/records/record-parts.spec.ts': ['go with it, each by a change of its own: one told of, one not mentioned'],
  },
  'D: a calendar that is taken off, hidden or lost, and mail in the bin': {
    'test/field-google.spec.ts': [
      'that is taken off the list goes with its events, which were most of all, in one %s run',
      'that is hidden from the list stays, and its events go on being read',
      'that is lost to access while it is listed keeps what was read, and comes back by itself',
      'that is moved to %s is gone, in whatever run; other labels are none, and out of there it is back',
    ],
    'src/integrations/sync/runs/sync-jobs.spec.ts': [
      'removes a partition that is told to be gone at once, however much it is, and of a list that is not complete',
    ],
  },
  'D: what goes on under another id': {
    'test/field-deliveries.spec.ts': ['takes its messages along, and those that come later are beside them'],
  },
  'E1: an envelope is not the message in it': {
    'test/field-deliveries.spec.ts': ['is the message that it was, with one more reply, %s'],
    'src/providers/slack/slack-records.handlers.spec.ts': [
      'is stored as itself (%j)',
      'is changed by an edit, and keeps nothing of the envelope',
    ],
  },
  'F1: an installation of a whole organization': {
    'src/providers/slack/slack-org-wide.spec.ts': ['is listed workspace by workspace, and what they share once'],
  },
  'F2: three people of one installation': {
    'src/integrations/connections/grants.spec.ts': ['is renewed once for all', 'has one token, with which all of them work'],
  },
  'F3: a channel that two workspaces share': {
    'src/providers/slack/slack-authorizations.spec.ts': [
      'reaches both, once, with its body',
      'stays with those whom the delivery names',
      'that one person was named for reaches the others whose grants see it, and nobody else',
    ],
  },
  'G1: thin events': {
    'src/integrations/webhooks/inbox/valid-senders.http.spec.ts': [
      'may send thin events: known ones name account and object, unknown ones are stored and completed',
      'is answered 200 for what nobody can read, which is kept once and without its body',
    ],
  },
  'G2: commands and buttons': {
    'src/integrations/webhooks/inbox/valid-senders.http.spec.ts': [
      'gets what a handler says at once, and the command is handled once like an event, without the token',
      'gets an empty 200 in time where a handler has nothing to say, fails or hangs',
      'gets answers to forms and menus; buttons are events',
    ],
  },
  'H1: what the database sets for its sessions': {
    'src/database/session-settings.spec.ts': ['is ours in the embedded database, whatever that sets'],
  },
  'I1: an address of an international domain': {
    'src/providers/google/google-mail.composer.spec.ts': ['sends to an address as people type it: %s'],
    'test/operations.spec.ts': [
      'invites an address of any domain as people type it',
      'finds a calendar by an address of any domain as people type it',
    ],
  },
  'J1: a failure has its cause in the log': {
    'src/http-api/logging.spec.ts': ['tells what was thrown where it is no Error', 'names the whole chain of causes'],
    'test/refused-tokens.spec.ts': ['%s reads why, and so does the log, once', 'production tells the log, and no caller'],
  },
  "K1: an outage's alerts have keys of their own, and one failing rule silences nothing": {
    'src/integrations/monitoring/alert-failures.spec.ts': [
      "opens an outage's alerts and tells of them, though an upsert before them fails",
      'tells what is open while every rule fails',
      'lets every other rule look, and tells of what they find, where one hangs',
    ],
    'src/integrations/monitoring/alert.service.spec.ts': [
      'lets every other rule look where one fails',
      'opens one alert a tenant and one for the operator where two tenants and calls without one are hit, and closes all of them',
    ],
  },
  'K2: one destination that fails and one that does not': {
    'src/integrations/monitoring/alert-failures.spec.ts': [
      'tells one destination once while the other fails ten times, which has its notice over a day, and when it is back',
    ],
  },
  'K3: more than a thousand findings': {
    'src/integrations/monitoring/alert.service.spec.ts': [
      'loses none of thousands, closes those that are over, and sends the critical first',
    ],
  },
  "K4: one tenant's trouble is one alert": {
    'src/integrations/monitoring/alert.service.spec.ts': ["opens one alert for one tenant's trouble, however many others call without any"],
  },
  'L1: more overdue payloads than one sweep takes': {
    'src/integrations/webhooks/inbox/inbox-writer.spec.ts': ['goes on until no payload is overdue, and where it was stopped the next time'],
  },
  'L2: every table has its end, and gives its room back': {
    'src/integrations/monitoring/retention.spec.ts': [
      'knows of every table what ends its rows',
      'deletes all that is overdue, however much it is, and nothing else',
      'gives back the room of what it deleted, which the embedded database does not by itself',
    ],
  },
  'M1: a delivery of many events': {
    'test/field-deliveries.spec.ts': [
      'is stored once: %i events of %i bytes',
      'that can never be taken is too large, and keeps nothing: too many events, and too long a body',
    ],
    'src/integrations/webhooks/inbox/many-events.spec.ts': [
      'stores the body of two hundred events in one delivery once, and every event finds its own in it',
      'takes five hundred events of 695 KB, and five thousand',
    ],
  },
};

describe.each(Object.entries(CASES))('%s', (_, specs) => {
  it.each(Object.entries(specs))('is held by tests of %s', (spec, names) => {
    const path = join(ROOT, spec);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    expect(names.filter((name) => !isRun(text, name))).toEqual([]);
  });
});

/** Named by the first argument of a test that is not left out. */
function isRun(text: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => {
    const written = `${quote}${name.replaceAll(quote, `\\${quote}`)}${quote}`;
    const before = text.slice(0, Math.max(0, text.indexOf(written)));
    return (
      before !== '' &&
      /\b(it|test)\)?(\.each[\s\S]*)?\(\s*$/.test(before.slice(-4_000)) &&
      !/\b(x(it|test)|(it|test)\.(skip|todo))[\w.]*\(\s*$/.test(before)
    );
  });
}
