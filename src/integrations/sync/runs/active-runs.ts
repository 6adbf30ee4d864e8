import { Injectable } from '@nestjs/common';
import { IntegrationError } from '../../../errors';

/** The runs that this process is doing, so that they can be stopped at once. */
@Injectable()
export class ActiveRuns {
  private readonly running = new Map<string, { provider: string; controller: AbortController }>();

  /** Of each provider, how many. */
  countOf(provider: string): number {
    let count = 0;
    for (const run of this.running.values()) if (run.provider === provider) count++;
    return count;
  }

  providersAt(limit: number): string[] {
    return [...new Set([...this.running.values()].map((run) => run.provider))].filter((provider) => this.countOf(provider) >= limit);
  }

  begin(connectionId: string, provider: string): AbortController {
    const controller = new AbortController();
    this.running.set(connectionId, { provider, controller });
    return controller;
  }

  end(connectionId: string, controller: AbortController): void {
    if (this.running.get(connectionId)?.controller === controller) this.running.delete(connectionId);
  }

  cancel(connectionId: string): void {
    this.running.get(connectionId)?.controller.abort(new IntegrationError('cancelled'));
  }
}
