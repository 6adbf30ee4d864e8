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

/** Who may use and who may manage, in words; what is not said is the default. */
export function policyWords(policy: Partial<ConnectionPolicy>): string {
  const { usedBy, managedBy } = { ...DEFAULT_POLICY, ...policy };
  const choice = Object.values(POLICY_CHOICES).find((each) => each.policy.usedBy === usedBy && each.policy.managedBy === managedBy);
  return (choice ?? POLICY_CHOICES.admins).words;
}
