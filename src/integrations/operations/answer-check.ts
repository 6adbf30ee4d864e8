import { Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { metricsRegistry } from '../../metrics';
import { fullNameOf, type Operation } from './operation';

const logger = new Logger('operations');

export const undeclaredAnswers = new Counter({
  name: 'trestle_operation_undeclared_answers_total',
  help: 'Answers of operations that were not what the operation declares; they went out as they were.',
  labelNames: ['operation'] as const,
  registers: [metricsRegistry],
});

/**
 * Holds an answer against the operation's schema. It goes out as it is all the same: what was carried out has an outcome, and a caller
 * that does not learn it asks again.
 */
export function checkedAnswer<T>(operation: Pick<Operation, 'name' | 'provider' | 'output'>, answer: T): T {
  const checked = operation.output.safeParse(answer);
  if (checked.success) return answer;
  const name = fullNameOf(operation);
  undeclaredAnswers.inc({ operation: name });
  // Places and what was expected there: never what stands there.
  const places = checked.error.issues.slice(0, 5).map(({ path, code }) => `${path.join('.')}: ${code}`);
  logger.error({ msg: 'The answer of an operation is not what it declares.', operation: name, places });
  return answer;
}
