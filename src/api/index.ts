/** The HTTP edge, for controllers: who calls, what they sent, how lists and failures look. */
export { HiddenPage, Page, Public, Roles } from './access.decorators';
export { ROLES, roleReaches, visibleTenant, type Caller, type Role, type SessionCaller } from './caller';
export { CurrentUser } from './current-user.decorator';
export { ApiExcludeController, ApiOkResponse, ApiOperation, ApiTags } from './description';
export { cursor, decodeCursor, encodeCursor, limit, paged, type Paged } from './pagination';
export { Drain } from './drain';
export { escapeHtml, Html, html, htmlPage, type HtmlPart } from './html';
export { PROBLEM_JSON, problemOf, type Problem } from './problem';
export type { EdgeRequest } from './request';
export { IdParam, invalidFields, ZodBody, ZodPipe, ZodQuery, type FieldFault } from './zod.decorators';
