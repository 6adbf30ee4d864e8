import { Logger as PinoNestLogger, PinoLogger } from 'nestjs-pino';
import type { Logger as Pino } from 'pino';

/** What Nest says about its own assembly: a line for each module and route. */
const ASSEMBLY = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

/** Nest's logger, through pino as well, from the first line of the start on. */
export class NestLogger extends PinoNestLogger {
  constructor(logger: Pino) {
    super(new PinoLogger({ pinoHttp: { logger } }), {});
  }

  /** A start that fails throws (`nestOptions`), and is told in the end, once. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (ASSEMBLY.has(rest.at(-1) as string)) this.debug(message, ...rest);
    else super.log(message, ...rest);
  }
}
