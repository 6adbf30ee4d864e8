import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ERROR_KINDS } from '../../errors';
import { describeNow } from './swagger-decorators';

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
const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

/** The description of the API, made when the docs routes are first asked for it: most starts never are. */
export class OpenApi {
  private app: INestApplication | undefined;
  private made: OpenAPIObject | undefined;

  /** From now on there is a description, of this application. */
  describe(app: INestApplication): void {
    this.app = app;
  }

  get document(): OpenAPIObject | undefined {
    return (this.made ??= this.app && this.build(this.app));
  }

  /** Reads the routes; what every operation has in common is added here once. */
  private build(app: INestApplication): OpenAPIObject {
    const { DocumentBuilder, SwaggerModule } = describeNow();
    const config = new DocumentBuilder()
      .setTitle('Trestle')
      .setDescription('Connects your users to other services, and keeps those connections working.')
      .setVersion('1')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
      .build();
    const document = SwaggerModule.createDocument(app, config);
    document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA } };
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of METHODS) {
        const operation = item[method];
        if (!operation) continue;
        if (path.startsWith('/v1/')) operation.security = [{ bearer: [] }];
        operation.responses = { ...operation.responses, default: PROBLEM_ANSWER };
      }
    }
    return document;
  }
}
