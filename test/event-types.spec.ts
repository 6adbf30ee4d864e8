import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHANNEL_EVENTS, USER_EVENTS } from '../src/providers/slack/slack-records.handlers';
import { STRIPE_RESOURCES } from '../src/providers/stripe/stripe.resources';

/** What the providers' own types say of their events: a kind that their next version adds is met here first. */

describe('an event of Stripe', () => {
  const types = readFileSync(join(dirname(require.resolve('stripe')), 'resources/Events.d.ts'), 'utf8');
  /** Type and kind of the object of each. */
  const events = [...types.matchAll(/type: '([\w.]+)';[\s\S]{0,400}?interface Data extends Event\.Data \{\s+object: (\w+);/g)].map(
    ([, type = '', object = '']) => ({ type, object }),
  );
  const KINDS: Readonly<Record<string, string>> = {
    Customer: 'customers',
    Subscription: 'subscriptions',
    Invoice: 'invoices',
    Price: 'prices',
  };
  const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
    'invoice.upcoming': 'is about an invoice that is not made yet, and has no id',
  };

  it('about something that is stored has it read anew, whatever it is called', () => {
    const about = events.filter(({ object }) => object in KINDS);
    expect(events.length).toBeGreaterThan(140);
    expect(about.length).toBeGreaterThan(25);
    const missed = about.filter(({ type, object }) => {
      const resource = STRIPE_RESOURCES.find(({ name }) => name === KINDS[object]);
      return !(type in WITHOUT_EFFECT) && !resource?.eventTypes.includes(type);
    });
    expect(missed).toEqual([]);
  });

  it('that is waited for is one that there is', () => {
    const known = new Set(events.map(({ type }) => type));
    expect(STRIPE_RESOURCES.flatMap(({ eventTypes }) => eventTypes).filter((type) => !known.has(type))).toEqual([]);
  });
});

describe('an event of Slack', () => {
  const folder = join(dirname(require.resolve('@slack/types/package.json')), 'dist/events');
  const types = readdirSync(folder)
    .filter((file) => file.endsWith('.d.ts'))
    .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/^ {4}type: '(\w+)';/gm)].map(([, type = '']) => type));
  const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
    channel_history_changed: 'is about the messages, of which each is told by itself',
    group_history_changed: 'is about the messages, of which each is told by itself',
    group_open: 'is about what one person sees',
    group_close: 'is about what one person sees',
    user_huddle_changed: 'comes beside user_change',
    user_profile_changed: 'comes beside user_change',
    user_status_changed: 'comes beside user_change',
  };

  it('about a channel or a person changes its record, or is known to change nothing', () => {
    const about = [...new Set(types)].filter((type) => /^(channel|group|user)_|^team_join$/.test(type));
    expect(about.length).toBeGreaterThan(20);
    const handled: readonly string[] = [...CHANNEL_EVENTS, ...USER_EVENTS];
    expect(about.filter((type) => !handled.includes(type) && !(type in WITHOUT_EFFECT))).toEqual([]);
    expect(handled.filter((type) => !types.includes(type))).toEqual([]);
  });
});
