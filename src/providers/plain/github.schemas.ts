import { z } from 'zod';
import type { PlainOperation } from '../../integrations';

// Of the records, what https://docs.github.com/en/rest/repos/repos and /issues/issues promise of each.
const object = { id: z.union([z.number(), z.string()]), html_url: z.string() };

export const repositoryShape = z.object({
  ...object,
  name: z.string(),
  full_name: z.string(),
  private: z.boolean(),
  owner: z.object({ login: z.string() }),
  updated_at: z.string().nullable(),
});

export const issueShape = z.object({
  ...object,
  number: z.number(),
  title: z.string(),
  state: z.string(),
  user: z.object({ login: z.string() }).nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});

/** With where it goes: owner, repository, issue. */
export const githubInputs = {
  issue: z.strictObject({
    owner: z.string().min(1).max(100),
    repo: z.string().min(1).max(100),
    title: z.string().min(1).max(256),
    body: z.string().max(65_536).optional(),
    labels: z.array(z.string().min(1).max(50)).max(100).optional(),
    assignees: z.array(z.string().min(1).max(100)).max(10).optional(),
  }),
  comment: z.strictObject({
    owner: z.string().min(1).max(100),
    repo: z.string().min(1).max(100),
    issue_number: z.int().positive(),
    body: z.string().min(1).max(65_536),
  }),
};

export const githubOutputs = {
  issue: z.object({ id: z.number(), number: z.number(), title: z.string(), state: z.string(), html_url: z.string() }),
  comment: z.object({ id: z.number(), html_url: z.string() }),
};

/** https://docs.github.com/en/rest/issues: it takes no key and an issue's text cannot be searched at once, so neither is repeated. */
export const githubOperations: readonly PlainOperation[] = [
  {
    name: 'issues.create',
    title: 'Create an issue',
    description: 'Opens an issue in a repository; labels and assignees need the right to push there, and are left out without it.',
    effect: 'write',
    makes: true,
    scopes: ['repo'],
    method: 'POST',
    path: 'repos/{owner}/{repo}/issues',
    input: githubInputs.issue,
    output: githubOutputs.issue,
  },
  {
    name: 'comments.create',
    title: 'Comment on an issue',
    description: 'Adds a comment to an issue or a pull request, by whoever is connected.',
    effect: 'write',
    makes: true,
    scopes: ['repo'],
    method: 'POST',
    path: 'repos/{owner}/{repo}/issues/{issue_number}/comments',
    input: githubInputs.comment,
    output: githubOutputs.comment,
  },
];
