import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import {
  addMemberTo,
  archiveProjectOf,
  createProjectOf,
  keysOf,
  membersOf,
  projectsOf,
  removeMemberOf,
  revokeKeyOf,
} from './commands/identity.js';
import { asOperator } from './commands/running.js';
import type { Operator } from './operator.js';
import { columns } from './print.js';

/** Who belongs to an account, its projects, and the keys of both; `key` is the command that issues one. */
export const addIdentityCommands = (account: Command, key: Command, add: Add, run: Run): void => {
  const order = (work: (operator: Operator) => Promise<object>) =>
    run((print) =>
      asOperator(async (operator) => {
        const done = await work(operator);
        const fields = Object.entries(done).map(([name, value]) => [name, String(value)]);
        print.result(done, columns(Object.fromEntries(fields) as Record<string, string>));
        return 0;
      }),
    );
  /** One line for each, of its fields in order. */
  const list = (work: (operator: Operator) => Promise<readonly object[]>) =>
    run((print) =>
      asOperator(async (operator) => {
        const listed = await work(operator);
        print.result(listed, listed.length === 0 ? ['none'] : listed.map((each) => lineOf(each)));
        return 0;
      }),
    );

  add(account, 'members <id>', 'who belongs to an account').action((id: string) =>
    list((operator) => membersOf(operator, id)),
  );
  const member = account.command('member').description('add and remove members');
  add(member, 'add <id> <userId>', 'add a member, or change their role')
    .option('--role <role>', 'owner, admin or member; the first member is the owner')
    .action((id: string, userId: string, { role }: { role?: string }) =>
      order((operator) => addMemberTo(operator, id, userId, role)),
    );
  add(member, 'remove <id> <userId>', 'remove a member, and revoke their keys').action(
    (id: string, userId: string) => order((operator) => removeMemberOf(operator, id, userId)),
  );

  add(account, 'projects <id>', 'the projects of an account').action((id: string) =>
    list((operator) => projectsOf(operator, id)),
  );
  const project = account.command('project').description('create and archive projects');
  add(project, 'create <id> <projectId>', 'create a project').action(
    (id: string, projectId: string) =>
      order((operator) => createProjectOf(operator, id, projectId)),
  );
  add(project, 'archive <id> <projectId>', 'archive a project; its keys stop working').action(
    (id: string, projectId: string) =>
      order((operator) => archiveProjectOf(operator, id, projectId)),
  );

  add(account, 'keys <id>', 'the API keys of an account, without the keys themselves').action(
    (id: string) => list((operator) => keysOf(operator, id)),
  );
  add(key, 'revoke <keyId>', 'revoke an API key').action((keyId: string) =>
    order((operator) => revokeKeyOf(operator, keyId)),
  );
};

const lineOf = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join('  ');
