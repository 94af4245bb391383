import type { IncomingHttpHeaders } from 'node:http';
import { context as contextSchema } from '@tollkeeper/contracts';
import { idPattern } from '@tollkeeper/kernel';
import { invalidRequest } from '../http/http-refusal.js';

/** What the caller says a call is for: ids, never text about people. */
export interface Purpose {
  readonly projectId?: string;
  readonly taskType?: string;
  readonly context?: Readonly<Record<string, string>>;
}

const bytesMax = 1_024;
const nothing: Purpose = {};

const isId = (value: unknown): boolean => typeof value === 'string' && idPattern.test(value);

const refuse = (field: string, rule: string): Error =>
  invalidRequest(`${field} must be ${rule}.`, field);

const fromPairs = (text: string): Record<string, string> => {
  const pairs: [string, string][] = [];
  for (const pair of text.split(/[,;]/)) {
    if (pair.trim() === '') continue;
    const at = pair.indexOf('=');
    if (at < 1) throw refuse('X-Toll-Context', 'JSON or pairs such as "order=17, step=2"');
    pairs.push([pair.slice(0, at).trim(), pair.slice(at + 1).trim()]);
  }
  return Object.fromEntries(pairs);
};

const fromContextHeader = (text: string): unknown => {
  if (text.length > bytesMax) throw refuse('X-Toll-Context', 'at most 1 kB');
  if (!text.trimStart().startsWith('{')) return fromPairs(text);
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('X-Toll-Context', 'JSON or pairs such as "order=17, step=2"');
  }
};

const checkContext = (value: unknown, field: string): Readonly<Record<string, string>> => {
  const parsed = contextSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refuse(
    field,
    'a flat map of texts: names to 64 characters, values to 256, 1 kB in all, without NUL',
  );
};

const fromMetadata = (metadata: unknown): Purpose => {
  if (metadata === undefined || metadata === null) return nothing;
  if (typeof metadata !== 'object' || Array.isArray(metadata)) {
    throw refuse('metadata', 'an object');
  }
  const { project, task_type: taskType, ...rest } = metadata as Record<string, unknown>;
  return {
    ...(project === undefined ? {} : { projectId: project as string }),
    ...(taskType === undefined ? {} : { taskType: taskType as string }),
    ...(Object.keys(rest).length === 0 ? {} : { context: checkContext(rest, 'metadata') }),
  };
};

const fromHeaders = (headers: IncomingHttpHeaders): Purpose => {
  const project = headers['x-toll-project'];
  const taskType = headers['x-toll-task-type'];
  const context = headers['x-toll-context'];
  if (project === undefined && taskType === undefined && context === undefined) return nothing;
  return {
    ...(project === undefined ? {} : { projectId: String(project) }),
    ...(taskType === undefined ? {} : { taskType: String(taskType) }),
    ...(context === undefined
      ? {}
      : { context: checkContext(fromContextHeader(String(context)), 'X-Toll-Context') }),
  };
};

/** Headers win over `metadata`. @throws HttpRefusal 400 */
export const readPurpose = (headers: IncomingHttpHeaders, metadata: unknown): Purpose => {
  const purpose = { ...fromMetadata(metadata), ...fromHeaders(headers) };
  if (purpose.projectId !== undefined && !isId(purpose.projectId)) {
    throw refuse('The project', 'an id: 1 to 64 of A-Z a-z 0-9 _ -');
  }
  const { taskType } = purpose;
  if (
    taskType !== undefined &&
    (typeof taskType !== 'string' || !/^[^\p{C}]{1,64}$/u.test(taskType))
  ) {
    throw refuse('The task type', 'a text of 1 to 64 printable characters');
  }
  return purpose;
};
