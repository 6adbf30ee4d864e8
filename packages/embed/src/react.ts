import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import type { Connection, Provider } from './api.ts';
import { embedErrorOf, type EmbedError } from './embed-error.ts';
import type { ConnectionState, ConnectOptions, EmbedState, TrestleEmbed } from './embed-client.ts';

const Context = createContext<TrestleEmbed | undefined>(undefined);

/** Gives the client to the hooks below it. */
export function TrestleProvider({ client, children }: { client: TrestleEmbed; children?: ReactNode }) {
  return createElement(Context.Provider, { value: client }, children);
}

/** The client that `TrestleProvider` gave. */
export function useTrestle(): TrestleEmbed {
  const client = useContext(Context);
  if (!client) throw new Error('There is no <TrestleProvider client={...}> above this component.');
  return client;
}

/** All of it: providers, connections, whether it is live, what went wrong. */
export function useConnections(): EmbedState {
  const { subscribe, getState } = useTrestle();
  return useSyncExternalStore(subscribe, getState, getState);
}

export interface OneProvider {
  /** Undefined: not known yet, or there is none of that key. */
  readonly provider: Provider | undefined;
  /** Those that work or need to be connected anew. */
  readonly accounts: readonly ConnectionState[];
  readonly isLoading: boolean;
  readonly disconnect: (id: string) => Promise<void>;
  readonly sync: (id: string) => Promise<void>;
}

/** One provider with the person's accounts there. */
export function useConnection(key: string): OneProvider {
  const client = useTrestle();
  const { providers, connections, status } = useConnections();
  return useMemo(
    () => ({
      provider: providers.find((each) => each.key === key),
      accounts: connections.filter(({ connection }) => connection.provider === key && connection.status !== 'disconnected'),
      isLoading: status === 'loading',
      disconnect: (id) => client.disconnect(id),
      sync: async (id) => void (await client.sync(id)),
    }),
    [client, connections, key, providers, status],
  );
}

export interface Connecting {
  /** Call it in the click itself. Resolves with nothing where it did not work: `error` says why. */
  readonly connect: (options?: ConnectOptions) => Promise<Connection | undefined>;
  readonly isConnecting: boolean;
  readonly error: EmbedError | undefined;
}

/** Connects an account at a provider. */
export function useConnect(key: string): Connecting {
  const client = useTrestle();
  const [isConnecting, setConnecting] = useState(false);
  const [error, setError] = useState<EmbedError>();
  const latest = useRef(0);
  // A window that was lost sight of may still have worked out.
  useEffect(() => client.on('connected', ({ connection }) => void (connection.provider === key && setError(undefined))), [client, key]);
  const connect = useCallback(
    async (options: ConnectOptions = {}) => {
      const own = ++latest.current;
      const outcome = client.connect(key, options);
      setConnecting(true);
      setError(undefined);
      try {
        return await outcome;
      } catch (thrown) {
        if (own === latest.current) setError(embedErrorOf(thrown));
        return undefined;
      } finally {
        if (own === latest.current) setConnecting(false);
      }
    },
    [client, key],
  );
  return { connect, isConnecting, error };
}
