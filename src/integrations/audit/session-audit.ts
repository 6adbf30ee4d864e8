import { Injectable, type OnModuleInit } from '@nestjs/common';
import { BrowserSessions, BrowserTokens } from '../../http-api';
import { AuditLog } from './audit-log';

/** Records for whom browser tokens are made, and who was signed in and out of the pages: by the caller of the request, or by the person whose code it was. */
@Injectable()
export class SessionAudit implements OnModuleInit {
  constructor(
    private readonly sessions: BrowserSessions,
    private readonly tokens: BrowserTokens,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    this.sessions.watch(async (action, { tenant, userId, role }, runner) => {
      await this.audit.record({ action, tenant, target: `user:${userId}` }, 'ok', {
        runner,
        ...(action === 'session.open' && role && { actor: { tenant, userId, role } }),
      });
    });
    this.tokens.watch(async ({ tenant, userId, reach }, runner) => {
      const opened = [`user:${userId}`, ...(reach === 'organization' ? [`organization:${tenant}`] : [])];
      for (const target of opened) await this.audit.record({ action: 'browser-token.create', tenant, target }, 'ok', { runner });
    });
  }
}
