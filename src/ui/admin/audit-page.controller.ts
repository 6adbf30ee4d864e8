import { Controller, Header, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { byId, CurrentUser, html, Roles, visibleTenant, type SessionPrincipal } from '../../http-api';
import { IntegrationError } from '../../errors';
import { AUDIT_ACTIONS, AuditExport, AuditLog, NDJSON, type AuditFilter } from '../../integrations';
import { PageRoute } from '../page-route.decorators';
import { addressOf } from '../table';
import { AUDIT_PATH as PATH } from './admin-links';
import { auditTable } from './audit-views';
import { ListPages } from './list-pages';
import { cursorOf, filterOf, filterText, filterTime, readFilters } from './list-query';
import { Visit, type PageVisit } from './page-visit';

const ACTIONS = AUDIT_ACTIONS.map((value) => ({ value, label: value }));
const filterShape = {
  tenant: filterText,
  actor: filterText,
  action: filterOf(AUDIT_ACTIONS),
  target: filterText,
  from: filterTime,
  to: filterTime,
};
const listShape = { ...filterShape, cursor: cursorOf(byId) };

type Asked = Partial<Record<keyof typeof filterShape, string>>;

/** Who did what. */
@Roles('admin')
@Controller('admin/audit')
export class AuditPageController {
  constructor(
    private readonly lists: ListPages,
    private readonly audit: AuditLog,
    private readonly exporting: AuditExport,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    return this.lists.show(
      {
        title: 'Audit',
        path: PATH,
        topic: 'audit',
        shape: listShape,
        fields: (form, caller) =>
          form
            .tenant(caller)
            .text('actor', 'User who did it')
            .select('action', 'What was done', ACTIONS)
            .text('target', 'To what, e.g. connection:0198…')
            .time(),
        above: ({ given }) => html`<p><a href="${addressOf(`${PATH}/export`, given)}" download>All that match, as NDJSON</a></p>`,
        read: ({ cursor, ...asked }, limit, { caller }) => this.audit.list({ ...filterFor(caller, asked), before: cursor?.id, limit }),
        position: ({ id }) => ({ id }),
        table: auditTable,
      },
      visit,
    );
  }

  /** What the API gives with `Accept: application/x-ndjson`, for who has a browser. */
  @PageRoute('export')
  @Header('content-disposition', 'attachment; filename="audit.ndjson"')
  async export(@CurrentUser() caller: SessionPrincipal, @Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { values, faults } = readFilters(filterShape, query);
    const [fault] = Object.entries(faults);
    if (!values) throw new IntegrationError('invalid_request', { detail: `${fault?.[0]}: ${fault?.[1]}` });
    await reply.type(NDJSON).send(this.exporting.lines(filterFor(caller, values)));
  }
}

function filterFor(caller: SessionPrincipal, { tenant: ofTenant, from, to, ...asked }: Asked): Omit<AuditFilter, 'limit'> {
  const times = { ...(from !== undefined && { from: new Date(from) }), ...(to !== undefined && { to: new Date(to) }) };
  return { ...asked, ...times, tenant: visibleTenant(caller), ofTenant };
}
