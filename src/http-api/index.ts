/** The HTTP edge, for controllers: who calls, what they sent, how lists and failures look. */
export { HiddenPage, OpenToBrowserTokens, Page, Public, Roles, SupportMayRead } from './principal/access.decorators';
export { ROLES, roleReaches, visibleTenant, type Principal, type Role, type SessionPrincipal } from './principal/principal';
export { callerOf, CurrentUser } from './principal/current-user.decorator';
export { Answer, errorCode, moment, pageOf, RunsOperation } from './openapi/answers';
export { byId, byTime, cursor, decodeCursor, encodeCursor, limit, paged, pageFrom, positionOf, type Paged } from './pagination';
export { BrowserNews, type News, type ToldNews } from './sessions/browser-news';
export { BrowserSessions } from './sessions/browser-sessions';
export { BrowserTokens } from './sessions/browser-tokens';
export { assertNavigation } from './sessions/navigation';
export { leadsIntoFlow } from './sessions/own-path';
export { nameOf, productLink, signOutForm } from './sessions/session-pages';
export { Drain } from './edge/drain';
export { escapeHtml, Html, html, htmlPage, type HtmlPart } from './html';
export { PROBLEM_JSON, problemOf, type Problem } from './problems/problem';
export type { EdgeRequest } from './request';
export { requestContext, tenantInHand, type RequestContext } from '../request-context';
export { IdParam, ZodBody, ZodQuery } from './openapi/zod.decorators';
export { invalidFields, ZodPipe, type FieldFault } from './openapi/zod.pipe';
