import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ProviderSecrets } from './sandbox-context';
import type { SandboxProvider } from './sandbox-provider';

interface StoredState {
  secrets: Record<string, ProviderSecrets>;
  providers: Record<string, object>;
}

const SAVE_AFTER_MS = 500;

/** Keeps the whole state in one JSON file, written a moment after a change and at the end. */
export class StateFile {
  private readonly state: StoredState;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly path: string | undefined) {
    this.state = { secrets: {}, providers: {}, ...(path ? load(path) : {}) };
  }

  /** The provider's part, completed with what the file does not know: it may be older than the provider, or than a part of its state. */
  of<S extends object>({ name, secrets, emptyState }: SandboxProvider<S>): { secrets: ProviderSecrets; state: S } {
    const state = { ...emptyState(), ...(this.state.providers[name] as Partial<S> | undefined) };
    this.state.providers[name] = state;
    this.state.secrets[name] = { ...secrets(), ...this.state.secrets[name] };
    return { secrets: this.state.secrets[name], state };
  }

  readonly changed = (): void => {
    if (!this.path || this.timer) return;
    this.timer = setTimeout(() => this.save(), SAVE_AFTER_MS);
    this.timer.unref();
  };

  save(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (!this.path) return;
    writeFileSync(`${this.path}.new`, JSON.stringify(this.state, pack), { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
  }
}

function load(path: string): Partial<StoredState> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'), unpack) as Partial<StoredState>;
  } catch {
    // None yet, or one that was cut off: the sandbox starts afresh.
    return {};
  }
}

function pack(_key: string, value: unknown): unknown {
  if (value instanceof Map) return { $map: [...value] };
  if (value instanceof Set) return { $set: [...value] };
  return value;
}

function unpack(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map as [unknown, unknown][]);
  if ('$set' in value && Array.isArray(value.$set)) return new Set(value.$set as unknown[]);
  return value;
}
