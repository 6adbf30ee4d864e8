import type { TrestleEmbed } from '@trestle/embed';
import { TrestleProvider, useConnect, useConnection } from '@trestle/embed/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

/** What the script tag of Trestle gives. */
declare const Trestle: { setUp(options: { getToken: () => Promise<{ token: string; expiresAt: string }> }): TrestleEmbed };

/** Our own backend knows who is signed in, and asks Trestle for a token of theirs. */
async function getToken(): Promise<{ token: string; expiresAt: string }> {
  const answer = await fetch('/trestle-token', { method: 'POST', headers: { 'x-requested-with': 'product' } });
  if (!answer.ok) throw new Error(`No token: ${answer.status}`);
  return (await answer.json()) as { token: string; expiresAt: string };
}

/** One client for the elements and for the hooks: one stream. */
const client = Trestle.setUp({ getToken });

function Slack() {
  const { accounts, isLoading, disconnect } = useConnection('slack');
  const { connect, isConnecting, error } = useConnect('slack');
  if (isLoading) return <p>Loading …</p>;
  return (
    <>
      {accounts.map(({ connection: { id, account, status }, run }) => (
        <p className="account" key={id}>
          <span>
            Slack: {account.name}, {status}
            {run && `, ${run.progress.fetched} fetched`}
          </span>
          <button onClick={() => void disconnect(id)}>End it</button>
        </p>
      ))}
      {accounts.length === 0 && (
        <button disabled={isConnecting} onClick={() => void connect()}>
          Bring in Slack
        </button>
      )}
      {error && (
        <p role="alert" data-code={error.code}>
          {error.detail} {error.nextStep}
        </p>
      )}
    </>
  );
}

const events = document.getElementById('events') as HTMLElement;
for (const type of ['connected', 'disconnected', 'error', 'sync'])
  document.getElementById('integrations')?.addEventListener(type, (event) => {
    const { provider, error } = (event as CustomEvent<{ provider: string; error?: { code: string } }>).detail;
    const item = document.createElement('li');
    item.textContent = [type, provider, error?.code].filter(Boolean).join(' ');
    events.append(item);
  });

createRoot(document.getElementById('hooks') as HTMLElement).render(
  <StrictMode>
    <TrestleProvider client={client}>
      <Slack />
    </TrestleProvider>
  </StrictMode>,
);
