import { Controller, Get, Headers, Param, Post, UseInterceptors } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { z } from 'zod';
import {
  cursor,
  CurrentUser,
  decodeCursor,
  encodeCursor,
  IdParam,
  limit,
  paged,
  ZodBody,
  ZodPipe,
  ZodQuery,
  type Principal,
  type Paged,
} from '../../http-api';
import {
  ActionReplyInterceptor,
  ActionReconciler,
  ActionService,
  ConnectionRepository,
  toRef,
  type ActionResult,
} from '../../integrations';
import { EMAIL_BODY_BYTES, sendEmailBody, type SendEmail } from './google-mail.composer';
import { GOOGLE } from './google.facts';
import { eventPosition, GoogleService, type CalendarEvent } from './google.service';

const instant = z.iso.datetime({ offset: true, error: 'must be a time like 2026-01-31T09:00:00Z' });
const eventsQuery = z.strictObject({ timeMin: instant.optional(), timeMax: instant.optional(), limit, cursor });
const SEND_EMAIL = 'POST google/emails';
const calendarId = z.string().min(1).max(1_024);

@Controller('v1/connections/:id/google')
export class GoogleController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly actions: ActionService,
    private readonly google: GoogleService,
    reconciler: ActionReconciler,
  ) {
    reconciler.register(SEND_EMAIL, async (connection, operationId, signal) => {
      const body = await google.findSentEmail(connection, operationId, signal);
      return body && { status: 201, body };
    });
  }

  /** Sends an e-mail from the connected account. Gmail takes no idempotency key: one of doubtful outcome is looked for, and stays `outcome_unknown` if not found. */
  @Post('emails')
  @UseInterceptors(ActionReplyInterceptor)
  @RouteConfig({ bodyLimit: EMAIL_BODY_BYTES })
  async sendEmail(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodBody(sendEmailBody) body: SendEmail,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<ActionResult> {
    const connection = toRef(await this.connections.findUsable(caller, GOOGLE, id));
    return this.actions.run({
      caller,
      connection,
      route: SEND_EMAIL,
      body,
      idempotencyKey,
      execute: async ({ operationId }) => ({ status: 201, body: await this.google.sendEmail(connection, body, operationId) }),
    });
  }

  /** Occurrences in a window by their start, asked live. */
  @Get('calendars/:calendarId/events')
  async events(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Param('calendarId', new ZodPipe(calendarId)) calendar: string,
    @ZodQuery(eventsQuery) query: z.output<typeof eventsQuery>,
  ): Promise<Paged<CalendarEvent>> {
    const position = query.cursor === undefined ? undefined : decodeCursor(query.cursor, eventPosition);
    const connection = await this.connections.findUsable(caller, GOOGLE, id);
    const { events, next } = await this.google.listEvents(toRef(connection), calendar, { ...query, position });
    return paged(events, next === undefined ? null : encodeCursor(next));
  }
}
