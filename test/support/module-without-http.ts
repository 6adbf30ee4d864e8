import type { ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { AccessGuard } from '../../src/http-api/principal/access.guard';
import { ProblemFilter } from '../../src/http-api/problems/problem.filter';

/** Modules without the service around them. No request comes to their controllers, to which the application of another test file may have bound guard and filter. */
export function moduleWithoutHttp(metadata: ModuleMetadata): TestingModuleBuilder {
  return Test.createTestingModule(metadata)
    .overrideGuard(AccessGuard)
    .useValue({ canActivate: () => false })
    .overrideFilter(ProblemFilter)
    .useValue({ catch: () => undefined });
}
