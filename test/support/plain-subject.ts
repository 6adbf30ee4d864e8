import type { PlainProvider, SignatureScheme } from '../../src/integrations';
import type { PlainFault, PlainResource } from '../../src/integrations/providers/plain/plain-provider';
import type { Forge } from '../../sandbox';
import { deliverEvent } from '../../sandbox/plain/plain-deliveries';
import { concreteType } from '../../sandbox/plain/plain-events';
import { itemOf, itemsOf } from '../../sandbox/plain/plain-lists';
import { signsTime } from '../../sandbox/plain/plain-signer';
import { firstOf, put, type Json } from '../../sandbox/plain/pointed';
import type { ProviderSubject } from '../provider.suite';
import { idOf, inputOf } from './plain-trial';
import { startOnPlainSandbox, type PlainStage } from './suite-stage';

/** What the suite must know of a plain provider: all of it stands in the declaration. */
export function plainSubject(declaration: PlainProvider): ProviderSubject {
  const { key, oauth2, resources = [], operations = [], webhooks, faults = [] } = declaration;
  const [first] = operations;
  if (!webhooks?.records?.[0] || !first) throw new Error(`${declaration.name} has no events with records, or no operation.`);
  // The most telling one: of which all is known, and which is asked for what changed.
  const resource = [...resources].sort((a, b) => rank(b) - rank(a))[0]!;
  const by = webhooks.records.find((each) => each.resource === resource.name);
  let stage: PlainStage | undefined;
  const items = (name: string) =>
    itemsOf(
      world(),
      resources.find((each) => each.name === name)!,
    );
  const world = () => stage!.sandbox.world(key);
  const subject: ProviderSubject = {
    key,
    account: 'acct-1',
    consent: {},
    fields: Object.fromEntries(Object.entries(declaration.ask ?? {}).map(([name, { example }]) => [name, example])),
    resources: resources.map(({ name }) => name),
    remoteIds: (_, name) => {
      const facts = resources.find((each) => each.name === name)!;
      return Promise.resolve(items(name).map((item) => idOf(facts, item)));
    },
    changes: resource.name,
    change: () => {
      const [kept, doomed] = items(resource.name) as [Json, Json];
      Object.assign(kept, itemOf(resource, idOf(resource, kept), Date.now()), { title: 'Changed' });
      items(resource.name).splice(items(resource.name).indexOf(doomed), 1);
      return Promise.resolve({ changed: idOf(resource, kept), deleted: idOf(resource, doomed) });
    },
    deletionsIn: !isWhole(resource) ? 'none' : resource.since ? 'full' : 'incremental',
    ...(resource.since && 'param' in resource.since && { asksSince: asking(resource.since.param) }),
    ...(by && {
      tell: async ({ app }, { changed, deleted }) => {
        const at = Date.now();
        const [type, gone] = [concreteType(by.types.find((each) => !by.gone?.includes(each)) ?? ''), by.gone?.[0]];
        await deliverEvent(world(), app.url, { type, at, record: { id: changed, by } });
        if (gone !== undefined) await deliverEvent(world(), app.url, { type: gone, at, record: { id: deleted, by } });
      },
    }),
    tellsDeletions: by !== undefined && (by.gone !== undefined || (by.at === undefined && isWhole(resource) && !resource.since)),
    eventType: concreteType(webhooks.records[0].types[0] ?? ''),
    action: { method: 'GET', path: 'proxy/things' },
    refused: { method: 'POST', path: `operations/${first.name}`, body: inputOf(first) },
    failures: faults
      .filter(({ at }) => at === undefined || firstOf(at)?.startsWith('/'))
      .map((fault) => [fault.status ?? 200, answerOf(fault)]),
    forgeries: forgeriesOf(webhooks.scheme),
    operations: operations.map((each) => ({
      name: each.name,
      endpoint: each.name,
      repeat: each.idempotent ? ('idempotent' as const) : (each.repeat ?? 'none') === 'none' ? ('none' as const) : ('key' as const),
      input: () => inputOf(each),
    })),
    ...((oauth2?.refresh || oauth2?.installation) && { tokenEndpoint: 'token' }),
    ...(oauth2?.installation && { renewsBy: 'installation' }),
    endsAtProvider: oauth2?.revokeUrl !== undefined,
    start: async (log) => (stage = await startOnPlainSandbox(subject, log)),
  };
  return subject;
}

/** What a scheme does not sign cannot be forged. */
export function forgeriesOf(scheme: SignatureScheme): readonly Forge[] {
  const saysNothingOfBody = scheme.kind === 'token' || scheme.kind === 'watch' || (scheme.kind === 'jwt' && scheme.bodyHash === undefined);
  const signed = saysNothingOfBody ? [] : (['altered-body'] as const);
  return ['bad-signature', 'no-signature', ...signed, ...(signsTime(scheme) ? (['old-timestamp', 'future-timestamp'] as const) : [])];
}

/** In the query, or in the body. */
function asking(param: string): RegExp {
  const name = param.split('/').at(-1) ?? '';
  return param.startsWith('/') ? new RegExp(`"${name}":"[^"]+"`) : new RegExp(`[?&]${encodeURIComponent(name)}=[^&]+`);
}

/** Everything that is asked for is consented to here. */
const isWhole = ({ extent }: Pick<PlainResource, 'extent'>): boolean =>
  extent === 'whole' || (typeof extent === 'object' && 'wholeWith' in extent);

/** Changes are looked for where the most is declared. */
function rank({ extent, since }: PlainResource): number {
  return (isWhole({ extent }) ? 2 : 0) + (since ? 1 : 0);
}

function answerOf({ at, is }: PlainFault): unknown {
  const place = firstOf(at);
  return place === undefined ? {} : put(place.startsWith('/0') ? ([] as unknown as Json) : {}, place, [is].flat()[0] ?? 'refused');
}
