import { z } from 'zod';

// Of the records and of what is written, what @linear/sdk says of each; a test compiles them against it.
const made = { id: z.string(), url: z.string(), createdAt: z.string(), updatedAt: z.string() };
const person = z.object({ id: z.string() }).nullable();
export const linearShapes = {
  issue: z.object({
    ...made,
    identifier: z.string(),
    title: z.string(),
    priority: z.number(),
    state: z.object({ id: z.string(), name: z.string(), type: z.string() }),
    team: z.object({ id: z.string(), key: z.string() }),
    assignee: person,
  }),
  project: z.object({ ...made, name: z.string(), lead: person }),
};

const id = z.string().min(1).max(100);

export const linearInputs = {
  issue: z.strictObject({
    teamId: id,
    title: z.string().min(1).max(512),
    description: z.string().max(100_000).optional(),
    priority: z.int().min(0).max(4).optional(),
  }),
  comment: z.strictObject({ issueId: id, body: z.string().min(1).max(100_000) }),
};
