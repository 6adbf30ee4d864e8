import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { ModulesContainer } from '@nestjs/core';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { SUMMARIES } from '../src/http-api/openapi/summaries';
import { startTestApp, type TestApp } from './support/test-app';

/** What callers were promised: docs and code may say more, never less. */
const PROMISED = [
  'get /v1/providers',
  'post /v1/connect-sessions',
  'post /v1/connections',
  'get /v1/connections',
  'get /v1/connections/{id}',
  'delete /v1/connections/{id}',
  'post /v1/connections/{id}/syncs',
  'get /v1/connections/{id}/syncs',
  'get /v1/connections/{id}/records/{resource}',
  'get /v1/connections/{id}/slack/channels',
  'post /v1/connections/{id}/slack/messages',
  'post /v1/connections/{id}/stripe/subscriptions',
  'delete /v1/connections/{id}/stripe/subscriptions/{subscriptionId}',
  'post /v1/connections/{id}/google/emails',
  'get /v1/connections/{id}/google/calendars/{calendarId}/events',
  'get /v1/admin/health',
  'get /v1/admin/health/{provider}',
  'get /v1/admin/webhook-events',
  'get /v1/admin/webhook-events/{id}',
  'post /v1/admin/webhook-events/{id}/replay',
  'post /v1/admin/webhook-events/replay',
  'get /v1/admin/requests',
  'get /v1/admin/sync-runs',
  'get /v1/admin/alerts',
  'post /v1/admin/alerts/{id}/acknowledge',
  'get /v1/admin/queue',
  'post /webhooks/{provider}',
  'get /health/live',
  'get /health/ready',
  'get /metrics',
];
const ID = '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6';

type Contents = Record<string, { schema?: object; example?: unknown }>;

interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  security?: unknown[];
  operationId?: string;
  summary?: string;
  requestBody?: { content?: Contents };
  responses: Record<string, { description?: string; content?: Contents }>;
}
const SNAPSHOT = join(__dirname, '../docs/openapi.json');
/** Types of the client. */
const TYPES = join(__dirname, '../packages/client/src/api-types.ts');
/** It is an ES module, which a test cannot load. */
const GENERATOR = join(__dirname, '../node_modules/openapi-typescript/bin/cli.js');
/** What a reader of the description relies on; a fault in its structure is always an error. */
const RULES = {
  'no-unresolved-refs': 'error',
  'no-identical-paths': 'error',
  'no-empty-servers': 'error',
  'operation-operationId': 'error',
  'operation-operationId-unique': 'error',
  'operation-operationId-url-safe': 'error',
  'operation-2xx-response': 'error',
  'operation-parameters-unique': 'error',
  'path-parameters-defined': 'error',
  'security-defined': 'error',
} as const;

describe('the description of the API', () => {
  let test: TestApp;
  let document: unknown;
  let operations: { method: string; path: string; operation: Operation }[];

  beforeAll(async () => {
    test = await startTestApp();
    const read = (await (await fetch(`${test.url}/docs-json`)).json()) as { paths: Record<string, Record<string, Operation>> };
    document = read;
    operations = Object.entries(read.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
    );
  });
  afterAll(() => test.close());

  it('describes each answer under the status that its route gives', () => {
    const controllers = [...test.app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
    const otherwise = controllers.flatMap(({ metatype }) => {
      const handlers = Object.entries(Object.getOwnPropertyDescriptors((metatype as { prototype: object }).prototype));
      return handlers.flatMap(([name, { value }]) => {
        if (typeof value !== 'function') return [];
        const given = Reflect.getMetadata('__httpCode__', value) as number | undefined;
        const described = Object.keys((Reflect.getMetadata('swagger/apiResponse', value) as object | undefined) ?? {});
        return given === undefined || described.length === 0 || described.includes(`${given}`) ? [] : [{ name, given, described }];
      });
    });
    expect(otherwise).toEqual([]);
  });

  it('names every promised route', () => {
    expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(PROMISED));
  });

  it('tells of every parameter of a path, how failures look, and that the API needs a token', () => {
    for (const { method, path, operation } of operations) {
      const named = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      expect([method, path, named]).toEqual([method, path, path.match(/\{\w+\}/g) ?? []]);
      expect(operation.responses).toHaveProperty('default');
      expect([path, operation.security?.length === 1]).toEqual([path, path.startsWith('/v1/')]);
    }
  });

  it('says of every route of the API what it answers, with a schema where there is a body', () => {
    const silent = operations.filter(({ path, operation }) => {
      const well = Object.entries(operation.responses).filter(([status]) => /^2/.test(status));
      return (
        path.startsWith('/v1/') && !(well.length > 0 && well.every(([status, answer]) => status === '204' || hasSchema(answer.content)))
      );
    });
    expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it('asks for no header besides the token', () => {
    const asked = operations.flatMap(({ operation }) => operation.parameters ?? []).filter((each) => each.in === 'header' && each.required);
    expect(asked).toEqual([]);
  });

  it('gives each route a name of its own, fit for a program', () => {
    const ids = operations.map(({ operation }) => operation.operationId ?? '');
    expect(ids.filter((id) => !/^[a-z][A-Za-z0-9]*$/.test(id))).toEqual([]);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('derives a route that runs an operation from its declaration', () => {
    const send = operations.find(({ path }) => path.endsWith('/slack/messages'))?.operation;
    expect(send).toMatchObject({ operationId: 'slackMessagesSend', responses: { '201': { content: expect.anything() } } });
    expect(operations.filter(({ operation }) => 'x-operation' in operation)).toEqual([]); // each was found
  });

  it('says in a line what each route does', () => {
    expect(operations.filter(({ operation }) => !operation.summary).map(({ operation }) => operation.operationId)).toEqual([]);
    const ids = new Set(operations.map(({ operation }) => operation.operationId));
    expect(Object.keys(SUMMARIES).filter((id) => !ids.has(id))).toEqual([]);
  });

  it('has an example of each body and of each good answer, which its schema takes', () => {
    const ajv = new Ajv({ strict: false, validateFormats: true });
    addFormats(ajv);
    const faults: unknown[] = [];
    for (const { method, path, operation } of operations) {
      const good = Object.entries(operation.responses).flatMap(([status, answer]) => (status.startsWith('2') ? [answer] : []));
      for (const content of [operation.requestBody, ...good].flatMap((place) => Object.values(place?.content ?? {}))) {
        if (content.schema === undefined) continue;
        const takes = ajv.compile(content.schema);
        if (content.example === undefined || !takes(content.example)) faults.push([method, path, content.example, takes.errors]);
      }
    }
    expect(faults).toEqual([]);
  });

  it('is a page for people, and a page for each route', async () => {
    const text = await (await fetch(`${test.url}/docs`)).text();
    for (const { method, path, operation } of operations) {
      expect(text).toContain(`href="/docs/operations/${operation.operationId}"`);
      const one = await fetch(`${test.url}/docs/operations/${operation.operationId}`);
      const page = await one.text();
      expect([path, one.status, page.length < 40_000]).toEqual([path, 200, true]);
      expect(page).toContain(`${method.toUpperCase()} ${path}`);
    }
    expect((await fetch(`${test.url}/docs/operations/nothing`)).status).toBe(404);
  });

  it('is the one in docs/openapi.json (UPDATE_DOCS=true writes it)', () => {
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(SNAPSHOT, text);
    expect(JSON.parse(readFileSync(SNAPSHOT, 'utf8'))).toEqual(document);
  });

  it('is well formed in the eyes of a linter', async () => {
    const config = await createConfig({ extends: ['minimal'], rules: RULES });
    const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: SNAPSHOT, config });
    expect(problems.filter(({ severity }) => severity === 'error').map(({ message, location }) => [message, location[0]?.pointer])).toEqual(
      [],
    );
  });

  it('is what the types of packages/client/src/api-types.ts are made of (UPDATE_DOCS=true writes them)', () => {
    const text = execFileSync(process.execPath, [GENERATOR], { input: JSON.stringify(document), encoding: 'utf8' });
    if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(TYPES, text);
    expect(readFileSync(TYPES, 'utf8')).toBe(text);
  });

  it('holds: no route of the API answers without a token, or an admin route to a user', async () => {
    const bearer = { authorization: `Bearer ${await test.tokenFor({ tenant: 'acme', user: 'u1' })}` };
    for (const { method, path } of operations.filter((known) => known.path.startsWith('/v1/'))) {
      const url = test.url + path.replaceAll('{provider}', 'slack').replace(/\{\w+\}/g, ID);
      const call = async (headers: Record<string, string>) => {
        const answer = await fetch(url, { method: method.toUpperCase(), headers });
        await answer.arrayBuffer();
        return answer.status;
      };
      expect([method, path, await call({})]).toEqual([method, path, 401]);
      if (path.startsWith('/v1/admin/')) expect([method, path, await call(bearer)]).toEqual([method, path, 403]);
    }
  });
});

function hasSchema(content: Record<string, { schema?: unknown }> | undefined): boolean {
  return Object.values(content ?? {}).some(({ schema }) => schema !== undefined);
}
