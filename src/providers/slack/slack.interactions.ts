import { createHash } from 'node:crypto';
import { z } from 'zod';
import { IntegrationError } from '../../errors';
import { withoutMember, type ParsedDelivery, type RawDelivery } from '../../integrations';

const id = z.string().min(1).max(64);

/** https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling */
const slashCommand = z.object({
  command: z.string().min(1).max(100),
  trigger_id: z.string().max(200).optional(),
  team_id: id.optional(),
  enterprise_id: id.optional(),
  is_enterprise_install: z.string().optional(),
});

/** Buttons, menus' options, shortcuts, forms: https://docs.slack.dev/reference/interaction-payloads */
const interaction = z.object({
  type: z.string().min(1).max(100),
  trigger_id: z.string().max(200).optional(),
  team: z.object({ id }).nullish(),
  enterprise: z.object({ id }).nullish(),
  is_enterprise_install: z.boolean().optional(),
});

/** The fields of a form; undefined for another body. */
export function formOf({ headers, body }: RawDelivery): URLSearchParams | undefined {
  const type = headers['content-type'];
  return typeof type === 'string' && type.startsWith('application/x-www-form-urlencoded')
    ? new URLSearchParams(body.toString('utf8'))
    : undefined;
}

/** Slack looks at the certificate of a command's address now and then. Only where it says nothing else: that goes unverified. */
export function isCertificateCheck(delivery: RawDelivery): boolean {
  const form = formOf(delivery);
  return form?.get('ssl_check') === '1' && !form.has('command') && !form.has('payload');
}

/**
 * Somebody typed a command or pressed something, and waits. A command is an event of type `command/<name>`, e.g. `command/deploy`; all
 * else has the type that Slack gives it, e.g. `block_actions`, `view_submission`, `block_suggestion`.
 */
export function readInteraction(delivery: RawDelivery, form: URLSearchParams): ParsedDelivery {
  const payload = form.get('payload');
  const json = payload === null ? commandOf(form) : Buffer.from(payload);
  const {
    type,
    trigger_id: trigger,
    team,
    enterprise,
    is_enterprise_install: whole,
  } = payload === null ? asCommand(form) : asInteraction(payload);
  return {
    events: [
      {
        // Without a trigger the signed bytes and their time tell a repeated delivery from another press.
        eventId: `${type.slice(0, 100)}:${trigger ?? digestOf(delivery)}`,
        type,
        routingKey: (whole ? enterprise?.id : team?.id) ?? team?.id ?? enterprise?.id,
      },
    ],
    // `token` is Slack's older proof of origin, still a secret of the app.
    stored: withoutMember(json, 'token'),
    storedType: 'application/json; charset=utf-8',
    asksForAnswer: true,
  };
}

function commandOf(form: URLSearchParams): Buffer {
  return Buffer.from(JSON.stringify(Object.fromEntries(form)));
}

function asCommand(form: URLSearchParams): z.infer<typeof interaction> {
  const parsed = slashCommand.safeParse(Object.fromEntries(form));
  if (!parsed.success) throw notOfSlack(parsed.error);
  const { command, trigger_id, team_id, enterprise_id, is_enterprise_install } = parsed.data;
  return {
    type: `command/${command.replace(/^\//, '')}`,
    trigger_id,
    team: team_id === undefined ? null : { id: team_id },
    enterprise: enterprise_id === undefined ? null : { id: enterprise_id },
    is_enterprise_install: is_enterprise_install === 'true',
  };
}

function asInteraction(payload: string): z.infer<typeof interaction> {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch (cause) {
    throw notOfSlack(cause);
  }
  const parsed = interaction.safeParse(json);
  if (!parsed.success) throw notOfSlack(parsed.error);
  return parsed.data;
}

function notOfSlack(cause: unknown): IntegrationError {
  return new IntegrationError('invalid_request', { detail: 'This is neither a command nor an interaction of Slack.', cause });
}

function digestOf({ headers, body }: RawDelivery): string {
  const time = headers['x-slack-request-timestamp'];
  return createHash('sha256')
    .update(typeof time === 'string' ? time : '')
    .update(body)
    .digest('hex');
}
