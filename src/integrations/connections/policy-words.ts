import { DEFAULT_POLICY, STRICTEST_POLICY, type ConnectionPolicy } from './connection-access';

/** What an administrator chooses from who connects for the organization: each policy that there is, the default first. */
export const POLICY_CHOICES = {
  shared: { policy: DEFAULT_POLICY, words: 'Everybody in the organization can work with the account, its administrators look after it' },
  open: {
    policy: { usedBy: 'all', managedBy: 'all' },
    words: 'Everybody in the organization can work with the account, connect it anew and disconnect it',
  },
  admins: { policy: STRICTEST_POLICY, words: 'The organization’s administrators alone can work with the account and look after it' },
} as const satisfies Readonly<Record<string, { policy: ConnectionPolicy; words: string }>>;

export type PolicyChoice = keyof typeof POLICY_CHOICES;

/** Which of the choices it is; what is not said is the default. */
export function policyChoice(policy: Partial<ConnectionPolicy>): PolicyChoice {
  const { usedBy, managedBy } = { ...DEFAULT_POLICY, ...policy };
  const names = Object.keys(POLICY_CHOICES) as PolicyChoice[];
  return (
    names.find((name) => POLICY_CHOICES[name].policy.usedBy === usedBy && POLICY_CHOICES[name].policy.managedBy === managedBy) ?? 'admins'
  );
}

/** Who may use and who may manage, in words. */
export function policyWords(policy: Partial<ConnectionPolicy>): string {
  return POLICY_CHOICES[policyChoice(policy)].words;
}
