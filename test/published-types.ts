/*
 * Our schemas against what the providers publish of their objects: this file is compiled by `npm run check` and run by nothing. Where a
 * published type is not one that our schema takes, or what an operation sends is not one that is published, it does not compile.
 */
import type { Contact, Event, Message } from '@microsoft/microsoft-graph-types' with { 'resolution-mode': 'import' };
import type { LinearDocument } from '@linear/sdk' with { 'resolution-mode': 'import' };
import type {
  CreateCommentParameters,
  CreatePageParameters,
  DataSourceObjectResponse,
  PageObjectResponse,
  UserObjectResponse,
} from '@notionhq/client';
import type { components, operations } from '@octokit/openapi-types' with { 'resolution-mode': 'import' };
import type { z } from 'zod';
import { githubInputs, githubOutputs, issueShape, repositoryShape } from '../src/providers/plain/github.schemas';
import { linearInputs, linearShapes } from '../src/providers/plain/linear.schemas';
import { microsoftInputs, microsoftShapes } from '../src/providers/plain/microsoft.schemas';
import { notionInputs, notionShapes } from '../src/providers/plain/notion.schemas';

/** `schema` takes every object of the published type. */
function reads<Published>() {
  return <S extends z.ZodType>(_schema: [Published] extends [z.input<S>] ? S : { notWhatItTakes: z.input<S> }): void => undefined;
}

/** What `schema` lets through is of the published type; `Path` are names that go into the address. */
function writes<Published, Path extends PropertyKey = never>() {
  return <S extends z.ZodType>(_schema: [Omit<z.output<S>, Path>] extends [Published] ? S : { notWhatIsPublished: Published }): void =>
    undefined;
}

/** As it is in an answer's JSON. */
type InJson<T> = T extends Date
  ? string
  : T extends bigint
    ? number
    : T extends readonly (infer Each)[]
      ? InJson<Each>[]
      : T extends object
        ? { [Name in keyof T]: InJson<T[Name]> }
        : T;

/** Microsoft and Linear publish every name as one that may be missing or null: with all of them there. */
type Full<T> = T extends readonly (infer Each)[]
  ? Full<NonNullable<Each>>[]
  : T extends object
    ? { [Name in keyof T]-?: Full<NonNullable<T[Name]>> }
    : T;

type Github<Name extends keyof components['schemas']> = InJson<components['schemas'][Name]>;
// GitHub's description in OpenAPI
type GithubBody<Id extends 'issues/create' | 'issues/create-comment'> = NonNullable<
  operations[Id]['requestBody']
>['content']['application/json'];
reads<Github<'repository'>>()(repositoryShape);
reads<Github<'issue'>>()(issueShape);
reads<Github<'issue'>>()(githubOutputs.issue);
reads<Github<'issue-comment'>>()(githubOutputs.comment);
writes<GithubBody<'issues/create'>, 'owner' | 'repo'>()(githubInputs.issue);
writes<GithubBody<'issues/create-comment'>, 'owner' | 'repo' | 'issue_number'>()(githubInputs.comment);

reads<Full<Message>>()(microsoftShapes.messages);
reads<Full<Event>>()(microsoftShapes.events);
reads<Full<Contact>>()(microsoftShapes.contacts);
writes<Message>()(microsoftInputs.mail);
writes<Event>()(microsoftInputs.event);

// What was a database before 2025-09-03, as we ask, is a data source in the published types.
reads<PageObjectResponse>()(notionShapes.page);
reads<DataSourceObjectResponse>()(notionShapes.database);
reads<UserObjectResponse>()(notionShapes.user);
writes<CreatePageParameters>()(notionInputs.page);
writes<CreateCommentParameters>()(notionInputs.comment);

reads<Full<InJson<LinearDocument.Issue>>>()(linearShapes.issue);
reads<Full<InJson<LinearDocument.Project>>>()(linearShapes.project);
writes<LinearDocument.IssueCreateInput>()(linearInputs.issue);
writes<LinearDocument.CommentCreateInput>()(linearInputs.comment);

// That it does not compile where it should not.
// @ts-expect-error an issue has no number of stars
reads<Github<'issue'>>()(issueShape.extend({ stargazers_count: repositoryShape.shape.private }));
// @ts-expect-error whether a mail was read is no text
reads<Full<Message>>()(microsoftShapes.messages.extend({ isRead: microsoftShapes.messages.shape.id }));
// @ts-expect-error an issue's title is not a list
writes<GithubBody<'issues/create'>, 'owner' | 'repo'>()(githubInputs.issue.extend({ title: githubInputs.issue.shape.labels }));
// @ts-expect-error a comment of Linear's has another name for its text
writes<{ text: string }>()(linearInputs.comment);
