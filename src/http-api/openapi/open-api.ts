import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { z } from 'zod';
import { withoutBase } from '../../config/base-path';
import { ERROR_KINDS } from '../../errors';
import { OPERATION_OF_ROUTE } from './answers';
import { exampleOf, type Schema } from './example-of';
import { SUMMARIES } from './summaries';
import { jsonSchemaOf } from './zod.decorators';

const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'nextStep', 'retryable', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'A link into the error catalogue' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERROR_KINDS), description: 'Stable; decide by this' },
    detail: { type: 'string', description: 'One sentence for a person' },
    nextStep: { type: 'string', description: 'One sentence: what to do now' },
    retryable: { type: 'boolean' },
    retryAfter: { type: 'integer', description: 'Seconds, where known' },
    requestId: { type: 'string' },
  },
};
const PROBLEM_ANSWER = {
  description: 'Every failure',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const PROBLEM = { $ref: '#/components/responses/Problem' };
const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

type Described = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** What a declared operation says of itself. */
export interface DescribedOperation {
  readonly title: string;
  readonly description: string;
  readonly output: z.ZodType;
  readonly makes?: boolean;
}

export interface DescribedPart {
  /** Where all paths of it lie; they are told without. */
  readonly basePath: string;
  /** The classes of the modules whose routes it is of. Default: all of the application's. */
  readonly modules?: readonly Type[];
}

/** The description of the API, made when the docs routes are first asked for it: most starts never are. */
export class OpenApi {
  private app: INestApplication | undefined;
  private made: OpenAPIObject | undefined;
  private of: DescribedPart = { basePath: '' };
  private operationOf: (fullName: string) => DescribedOperation | undefined = () => undefined;

  /** From now on there is a description, of this application and of the operations that its routes run. */
  describe(app: INestApplication, operationOf: (fullName: string) => DescribedOperation | undefined, of = this.of): void {
    this.app = app;
    this.of = of;
    this.operationOf = operationOf;
  }

  get document(): OpenAPIObject | undefined {
    return (this.made ??= this.app && this.build(this.app));
  }

  /** Reads the routes; what every operation has in common is added here once. */
  private build(app: INestApplication): OpenAPIObject {
    const { basePath, modules = [] } = this.of;
    const config = new DocumentBuilder()
      .setTitle('Trestle')
      .setDescription('Connects your users to other services, and keeps those connections working.')
      .setVersion('1')
      .addServer(basePath || '/')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
      .build();
    const document = SwaggerModule.createDocument(app, config, { operationIdFactory: operationIdOf, include: [...modules] });
    document.paths = Object.fromEntries(Object.entries(document.paths).map(([path, item]) => [withoutBase(basePath, path), item]));
    document.components = {
      ...document.components,
      schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA },
      responses: { Problem: PROBLEM_ANSWER },
    };
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of METHODS) {
        const operation = item[method];
        if (!operation) continue;
        operation.security = path.startsWith('/v1/') ? [{ bearer: [] }] : [];
        this.describeOperation(operation);
        const summary = SUMMARIES[operation.operationId ?? ''];
        if (summary !== undefined) operation.summary ??= summary;
        freeOfHeaders(operation);
        addExamples(operation);
        operation.responses = { ...operation.responses, ...failuresOf(path, operation) };
      }
    }
    return document;
  }

  /** A route that runs a declared operation says what the declaration says. */
  private describeOperation(route: Described): void {
    const marked = route as Described & { [OPERATION_OF_ROUTE]?: string };
    const name = marked[OPERATION_OF_ROUTE];
    const operation = name === undefined ? undefined : this.operationOf(name);
    if (name === undefined || !operation) return;
    delete marked[OPERATION_OF_ROUTE];
    route.operationId = name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase());
    route.summary = operation.title;
    route.description = operation.description;
    const content = { 'application/json': { schema: jsonSchemaOf(operation.output, 'output') } };
    route.responses = { [operation.makes ? '201' : '200']: { description: '', content } };
  }
}

/** `adminDestinationsList` of `AdminDestinationsController.list`. */
function operationIdOf(controller: string, method: string): string {
  const name = controller.replace(/Controller$/, '');
  return name.charAt(0).toLowerCase() + name.slice(1) + method.charAt(0).toUpperCase() + method.slice(1);
}

/** No route asks for a header besides the token; Nest calls each that a route reads a required one. */
function freeOfHeaders({ parameters = [] }: Described): void {
  for (const parameter of parameters) if ('in' in parameter && parameter.in === 'header') parameter.required = false;
}

/** An example of what is sent, and of what is answered when all is well. */
function addExamples({ requestBody, responses }: Described): void {
  const answers = Object.entries(responses).flatMap(([status, answer]) => (status.startsWith('2') && answer ? [answer] : []));
  for (const place of [requestBody, ...answers]) {
    if (!place || !('content' in place)) continue;
    for (const content of Object.values(place.content ?? {}))
      if (content.schema && !('$ref' in content.schema)) content.example ??= exampleOf(content.schema as Schema);
  }
}

/** The failures that follow from how a route is laid; any other comes in the same shape. */
function failuresOf(path: string, { parameters = [], requestBody }: Described): Record<string, typeof PROBLEM> {
  const ofApi = path.startsWith('/v1/');
  return {
    ...(ofApi && { '401': PROBLEM, '429': PROBLEM }),
    ...(ofApi && (requestBody !== undefined || parameters.length > 0) && { '400': PROBLEM }),
    ...(path.startsWith('/v1/admin/') && { '403': PROBLEM }),
    ...(path.includes('{') && { '404': PROBLEM }),
    default: PROBLEM,
  };
}
