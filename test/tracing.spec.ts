import { propagation, trace, context, SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HttpReceiver } from '../src/integrations/notifications/testing/http-receiver';
import { signedDelivery } from '../src/integrations/webhooks/testing';
import { inSpan, inSpanOf } from '../src/tracing';
import { useConnectedApp } from './support/connected-app';

jest.setTimeout(120_000);

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

describe('a request that its caller traces', () => {
  const connected = useConnectedApp();
  beforeAll(() => provider.register());
  beforeEach(() => exporter.reset());
  afterAll(async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  const spansOf = (traceId: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const seen = async (what: string, holds: () => boolean) => {
    for (let tries = 0; tries < 500 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect([what, holds()]).toEqual([what, true]);
  };

  it('goes on to the provider, as one trace, and says nothing of what is in it', async () => {
    const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
    const answer = await connected.call('POST', 'slack', 'slack/messages', { channel: 'general', text: 'a secret word' }, headers);
    expect(answer.status).toBe(201);
    await seen('the span of the request', () => spansOf(TRACE).some(({ kind }) => kind === SpanKind.SERVER));
    const spans = spansOf(TRACE);
    const server = spans.find(({ kind }) => kind === SpanKind.SERVER)!;
    expect(server).toMatchObject({
      name: 'POST /v1/connections/:id/slack/messages',
      parentSpanContext: { spanId: '00f067aa0ba902b7' },
      attributes: { 'http.request.method': 'POST', 'http.response.status_code': 201 },
    });
    const call = spans.find(({ name, kind }) => kind === SpanKind.CLIENT && name === 'slack POST')!;
    expect(call.parentSpanContext?.spanId).toBe(server.spanContext().spanId);
    expect(call.attributes).toMatchObject({
      'trestle.provider': 'slack',
      'url.template': expect.stringContaining('chat.postMessage') as string,
    });
    expect(JSON.stringify(spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })))).not.toContain(
      'secret',
    );
  });

  it('that fails names the code', async () => {
    connected.app.sandbox.control.addFault({ kind: 'status', status: 503, provider: 'slack', endpoint: 'chat.postMessage' });
    const headers = { traceparent: `00-${TRACE.replace('4', '5')}-00f067aa0ba902b7-01` };
    await connected.call('POST', 'slack', 'slack/messages', { channel: 'general', text: 'x' }, headers);
    await seen('the failed call', () =>
      spansOf(TRACE.replace('4', '5')).some(({ attributes }) => attributes['error.type'] === 'provider_unavailable'),
    );
  });

  it('goes on in a run that it asks for, to the provider and to the product', async () => {
    const traceId = TRACE.replace('4', '6');
    const receiver = await HttpReceiver.start();
    try {
      const body = { url: receiver.url('/hook'), events: ['sync.completed', 'webhook.received'] };
      const made = await connected.browser.asAdmin<{ id: string }>('POST', '/v1/admin/destinations', body);
      expect(made.status).toBe(201);
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
      const asked = await connected.call<{ id: string }>('POST', 'slack', 'syncs', { type: 'full' }, headers);
      expect(asked.status).toBe(202);
      const told = () => receiver.at('/hook').find(({ body: sent }) => sent.includes(asked.body.id));
      await seen('the message to the product', () => told() !== undefined);
      await seen('the spans of both jobs', () =>
        ['job sync', 'job deliveries'].every((job) => spansOf(traceId).some(({ name }) => name === job)),
      );
      const spans = spansOf(traceId);
      const job = spans.find(({ name }) => name === 'job sync')!;
      const server = spans.find(({ kind }) => kind === SpanKind.SERVER)!;
      expect([job.kind, job.parentSpanContext?.spanId]).toEqual([SpanKind.CONSUMER, server.spanContext().spanId]);
      const calls = spans.filter(
        ({ kind, parentSpanContext }) => kind === SpanKind.CLIENT && parentSpanContext?.spanId === job.spanContext().spanId,
      );
      expect(calls.length).toBeGreaterThan(0);
      const delivery = spans.find(({ name }) => name === 'job deliveries')!;
      expect(delivery.parentSpanContext?.spanId).toBe(job.spanContext().spanId);
      expect(told()!.headers.traceparent).toContain(traceId);

      const provided = TRACE.replace('4', '7');
      const { body: connection } = await connected.browser.api<{ account: { id: string } }>(
        'GET',
        `/v1/connections/${connected.connections['slack']}`,
      );
      const event = {
        type: 'event_callback',
        event_id: 'Ev0TRACE',
        team_id: connection.account.id,
        event: { type: 'message', channel: 'C1', ts: '1.2', text: 'x' },
      };
      const { slack } = connected.app.settings.providers;
      const signed = signedDelivery({ as: 'slack', secret: slack!.webhookSecrets[0]!, body: event });
      const answer = await fetch(`${connected.app.url}/webhooks/slack`, {
        method: 'POST',
        body: signed.body,
        headers: { ...signed.headers, traceparent: `00-${provided}-00f067aa0ba902b7-01` },
      });
      expect(answer.status).toBe(200);
      await seen('the event at the product', () => receiver.at('/hook').some(({ body: sent }) => sent.includes('Ev0TRACE')));
      await seen('the span of its handlers', () => spansOf(provided).some(({ name }) => name === 'handle slack message'));
      const forwarded = receiver.at('/hook').find(({ body: sent }) => sent.includes('Ev0TRACE'))!;
      expect(forwarded.headers.traceparent).toContain(provided);
    } finally {
      await receiver.close();
    }
  });

  it('has the job of events of several traces beside them, with a link to each', () => {
    const given = ['8', '9'].map((digit) => `00-${TRACE.replace('4', digit)}-00f067aa0ba902b7-01`);
    return inSpan('job of several', { kind: SpanKind.CONSUMER, goesOnFrom: () => [...given, given[0], undefined] }, async () => {
      await inSpanOf(given[1], 'one of them', () => Promise.resolve());
    }).then(() => {
      const [part, job] = ['one of them', 'job of several'].map((name) => exporter.getFinishedSpans().find((span) => span.name === name)!);
      expect(job!.parentSpanContext).toBeUndefined();
      expect(job!.links.map(({ context: { traceId } }) => traceId)).toEqual(['8', '9'].map((digit) => TRACE.replace('4', digit)));
      expect(part!.spanContext().traceId).toBe(TRACE.replace('4', '9'));
      expect(part!.links.map(({ context: { traceId } }) => traceId)).toEqual([job!.spanContext().traceId]);
    });
  });

  it('work of the service has spans of its own', async () => {
    await connected.call('POST', 'slack', 'syncs', { type: 'incremental' });
    await seen('the job', () => exporter.getFinishedSpans().some(({ name, kind }) => name === 'job sync' && kind === SpanKind.CONSUMER));
  });
});

it('sends spans to the collector that the settings name', async () => {
  const paths: string[] = [];
  const collector = createServer((request, response) => {
    paths.push(request.url ?? '');
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  try {
    // A process of its own: the exporter loads its parts in a way that Jest does not know.
    const script = `const end = require('./src/start-tracing').startTracing({ tracing: { serviceName: 'trestle' } });
      require('@opentelemetry/api').trace.getTracer('test').startSpan('one').end(); end()`;
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT };
    await promisify(execFile)(process.execPath, ['-r', './scripts/register-swc.cjs', '-e', script], {
      cwd: join(__dirname, '..'),
      env,
      timeout: 60_000,
    });
    expect(paths).toEqual(['/v1/traces']);
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
});
