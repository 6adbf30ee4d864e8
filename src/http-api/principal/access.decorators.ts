import { applyDecorators, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { Role } from './principal';
import { ApiExcludeEndpoint } from '@nestjs/swagger';

export const ACCESS = 'trestle:access';
export const NEEDED_ROLE = 'trestle:role';
export const SUPPORT_READS = 'trestle:support-reads';
export const BROWSER_TOKENS = 'trestle:browser-tokens';

/** How a route knows its caller. Without a mark: by the bearer token. */
export type Access = 'public' | 'page' | 'metrics';

/** Anybody may call this: a class or a method. */
export const Public = () => SetMetadata(ACCESS, 'public' satisfies Access);

/** A page of the browser: known by its session cookie, and by a CSRF token where it changes state. */
export const Page = () => SetMetadata(ACCESS, 'page' satisfies Access);

/** For METRICS_TOKEN, for operators, or for anybody where METRICS_PUBLIC is set. */
export const MetricsAccess = () =>
  applyDecorators(SetMetadata(ACCESS, 'metrics' satisfies Access), SetMetadata(NEEDED_ROLE, 'operator' satisfies Role));

/** The least role that may call this: `@Roles('admin')` lets operators in too. */
export const Roles = (needed: Role) => SetMetadata(NEEDED_ROLE, needed);

/** Shows status or logs: support staff may read it. Nothing else is open to them. */
export const SupportMayRead = () => SetMetadata(SUPPORT_READS, true);

/** A call that a script in the product's own pages may make, with a browser token; pages of BROWSER_ORIGINS may read the answer. No other route takes such a token. */
export const OpenToBrowserTokens = () => applyDecorators(SetMetadata(BROWSER_TOKENS, true), RouteConfig({ openToBrowsers: true }));

/** A page that is no part of the API's description. */
export const HiddenPage = () => applyDecorators(Page(), ApiExcludeEndpoint());
