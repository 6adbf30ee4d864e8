import type { ApiOperationOptions, ApiResponseNoStatusOptions } from '@nestjs/swagger';

type Swagger = typeof import('@nestjs/swagger');
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a hundred files, loaded when a description is made
const swagger = () => require('@nestjs/swagger') as Swagger;

const said: ((swagger: Swagger) => void)[] = [];

/** Keeps what is said of a route until a description of the API is made: most starts never make one. */
export function describeLater(say: (swagger: Swagger) => void): void {
  said.push(say);
}

/** Says all that was kept, in its order. @returns what makes the description */
export function describeNow(): Swagger {
  const loaded = swagger();
  for (const say of said.splice(0)) say(loaded);
  return loaded;
}

/** Those of @nestjs/swagger that the controllers use. */
export const ApiTags =
  (...tags: string[]): ClassDecorator =>
  (target) =>
    describeLater((api) => api.ApiTags(...tags)(target));

export const ApiExcludeController = (): ClassDecorator => (target) => describeLater((api) => api.ApiExcludeController()(target));

export const ApiOperation = (options: ApiOperationOptions) => ofMethod((api) => api.ApiOperation(options));

export const ApiOkResponse = (options: ApiResponseNoStatusOptions) => ofMethod((api) => api.ApiOkResponse(options) as MethodDecorator);

export const ApiExcludeEndpoint = () => ofMethod((api) => api.ApiExcludeEndpoint());

function ofMethod(decorator: (api: Swagger) => MethodDecorator): MethodDecorator {
  return (target, key, descriptor) => describeLater((api) => void decorator(api)(target, key, descriptor));
}
