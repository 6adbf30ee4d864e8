import { Controller, Get, Headers, Param, Post, UseInterceptors } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { RunsOperation, cursor, CurrentUser, IdParam, limit, ZodBody, ZodPipe, ZodQuery, type Principal } from '../../http-api';
import { OperationReplyInterceptor, OperationService, type OperationResult } from '../../integrations';
import { EMAIL_BODY_BYTES, sendEmailBody, type SendEmail } from './google-mail.composer';
import { calendarId, GoogleCalendarOperations, instant } from './google-calendar.operations';
import { GoogleMailOperations } from './google-mail.operations';

const eventsQuery = z.strictObject({ timeMin: instant.optional(), timeMax: instant.optional(), limit, cursor });

/** Doors of their own to Google's operations. */
@UseInterceptors(OperationReplyInterceptor)
@Controller('v1/connections/:id/google')
export class GoogleController {
  constructor(
    private readonly operations: OperationService,
    private readonly mail: GoogleMailOperations,
    private readonly calendar: GoogleCalendarOperations,
  ) {}

  /** Sends an e-mail from the connected account. Gmail takes no idempotency key: one of doubtful outcome is looked for, and stays `outcome_unknown` if not found. */
  @RunsOperation('google.emails.send')
  @Post('emails')
  @RouteConfig({ bodyLimit: EMAIL_BODY_BYTES })
  sendEmail(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @ZodBody(sendEmailBody) body: SendEmail,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<OperationResult> {
    return this.operations.run(this.mail.sendEmail, body, { caller, connectionId, idempotencyKey });
  }

  /** Occurrences in a window by their start, asked live. */
  @RunsOperation('google.events.list')
  @Get('calendars/:calendarId/events')
  events(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @Param('calendarId', new ZodPipe(calendarId)) calendar: string,
    @ZodQuery(eventsQuery) query: z.output<typeof eventsQuery>,
  ): Promise<OperationResult> {
    return this.operations.run(this.calendar.listEvents, { ...query, calendarId: calendar }, { caller, connectionId });
  }
}
