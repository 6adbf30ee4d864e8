import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withoutBase } from '../../config/base-path';
import { IntegrationError } from '../../errors';
import type { EdgeRequest } from '../request';
import { ownRoute } from './base-path';

/** Paths whose body is handed on as it came. Matched on the route, not on the address, so that no spelling gets round it. */
const RAW_ROUTES = [/^\/webhooks\//, /^\/v1\/(?:connections\/:[^/]+|admin\/providers\/:[^/]+\/app)\/proxy\//];
const MAX_DEPTH = 64;
/** Building and checking more of them holds up everybody else: a megabyte holds enough for 150 ms. */
const MAX_MEMBERS = 10_000;
/** A form of more fields than this is none of ours. */
const MAX_FORM_FIELDS = 200;

export interface BodyLimits {
  readonly webhookMaxBytes: number;
  readonly proxyMaxBytes: number;
  /** Below which all of our routes lie. */
  readonly basePath: string;
  /** Whose requests these rules hold for; what others send wrongly fails with a `statusCode`, as Fastify's own faults do. */
  readonly owns: (request: FastifyRequest) => boolean;
}

type Done = (error: Error | null, body?: unknown) => void;

/** JSON and forms are parsed, raw routes get a Buffer whatever the content type says, everything else is 415. */
export function registerBodyParsers(fastify: FastifyInstance, limits: BodyLimits): void {
  fastify.addHook('onRoute', (route) => {
    // `@RouteConfig({ bodyLimit })`: a route that takes more than the rest.
    const stated = (route.config as { bodyLimit?: number } | undefined)?.bodyLimit;
    if (stated !== undefined) route.bodyLimit = stated;
    const path = withoutBase(limits.basePath, route.url);
    if (isRaw(path)) route.bodyLimit = path.startsWith('/webhooks/') ? limits.webhookMaxBytes : limits.proxyMaxBytes;
  });
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  const parser =
    (parse: (request: FastifyRequest, body: Buffer, done: Done) => void) => (request: FastifyRequest, body: Buffer, answered: Done) => {
      const done = limits.owns(request) ? answered : withStatus(answered);
      if (isRaw(ownRoute(request as EdgeRequest) ?? '')) {
        (request as EdgeRequest).rawBody = body;
        return done(null, body);
      }
      const encoding = request.headers['content-encoding'];
      if (encoding !== undefined && encoding !== 'identity') {
        return done(
          new IntegrationError('unsupported_media_type', {
            detail: 'Compressed bodies are not taken.',
            nextStep: 'Send the body without Content-Encoding.',
          }),
        );
      }
      return parse(request, body, done);
    };

  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/([\w.-]+\+)?json\s*(;|$)/,
    { parseAs: 'buffer' },
    parser((request, body, done) => {
      if (body.length === 0) return done(null, undefined);
      const { depth, members } = jsonShape(body, { depth: MAX_DEPTH, members: MAX_MEMBERS });
      if (depth > MAX_DEPTH) return done(invalidJson(`The JSON is nested deeper than ${MAX_DEPTH} levels.`));
      if (members > MAX_MEMBERS) return done(invalidJson(`The JSON has more than ${MAX_MEMBERS} members.`));
      return void parseJson(request, body.toString('utf8'), (error, value) =>
        error ? done(invalidJson('The body is not valid JSON.', error)) : done(null, value),
      );
    }),
  );
  fastify.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    parser((_request, body, done) => {
      const fields = [...new URLSearchParams(body.toString('utf8'))];
      if (fields.length > MAX_FORM_FIELDS)
        return done(new IntegrationError('invalid_request', { detail: 'The form has too many fields.' }));
      return done(null, formObject(fields));
    }),
  );
  fastify.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    parser((_request, body, done) => (body.length === 0 ? done(null, undefined) : done(new IntegrationError('unsupported_media_type')))),
  );
}

/** For whoever knows nothing of our errors. */
function withStatus(done: Done): Done {
  return (error, body) => done(error && Object.assign(error, { statusCode: error instanceof IntegrationError ? error.status : 400 }), body);
}

export function isRaw(routeUrl: string): boolean {
  return RAW_ROUTES.some((route) => route.test(routeUrl));
}

export interface JsonShape {
  /** Levels of objects and lists. */
  readonly depth: number;
  /** Of all objects together. */
  readonly members: number;
}

/** How deep the JSON nests and how many members it has, found in one pass before anything is built; it ends where a limit is passed. */
export function jsonShape(json: Uint8Array, limits: JsonShape): JsonShape {
  let level = 0;
  let depth = 0;
  let members = 0;
  let inString = false;
  for (let i = 0; i < json.length && depth <= limits.depth && members <= limits.members; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === 0x5c /* \ */) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22 /* " */) inString = true;
    else if (byte === 0x3a /* : */) members++;
    else if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) depth = Math.max(depth, ++level);
    else if (byte === 0x7d /* } */ || byte === 0x5d /* ] */) level--;
  }
  return { depth, members };
}

/** A field that comes twice is a list. No prototype: `__proto__` is a field like any other. */
function formObject(fields: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const form = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of fields) {
    const before = form[name];
    form[name] = before === undefined ? value : [before, value].flat();
  }
  return form;
}

function invalidJson(detail: string, cause?: unknown): IntegrationError {
  return new IntegrationError('invalid_request', { detail, cause });
}
