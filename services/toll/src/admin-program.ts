import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { adminKeysOf, issueAdminKeyTo, revokeAdminKeyOf } from './commands/admin-keys.js';
import { asOperator } from './commands/running.js';
import { columns, table } from './print.js';

/** Keys of those who administer prices and settings. */
export const addAdminCommands = (program: Command, add: Add, run: Run): void => {
  const admin = program.command('admin').description('keys of those who administer prices');
  add(admin, 'issue-key <actor>', 'issue an admin key, shown this once; the actor is an id')
    .requiredOption('--role <role>', 'viewer, pricer or admin')
    .action((actor: string, { role }: { role: string }) =>
      run((print) =>
        asOperator(async (operator) => {
          const issued = await issueAdminKeyTo(operator, actor, role);
          print.result(issued, columns(issued));
          return 0;
        }),
      ),
    );
  add(admin, 'keys', 'every admin key, without the keys themselves').action(() =>
    run((print) =>
      asOperator(async (operator) => {
        const keys = await adminKeysOf(operator);
        const rows = keys.map(({ keyId, actor, role, createdAt, revokedAt }) => {
          const state = revokedAt === undefined ? 'in use' : `revoked ${revokedAt}`;
          return [keyId, actor, role, createdAt, state];
        });
        print.result(keys, table(['key', 'actor', 'role', 'issued', 'state'], rows));
        return 0;
      }),
    ),
  );
  add(admin, 'revoke-key <keyId>', 'revoke an admin key; it works for 10 s more at most').action(
    (keyId: string) =>
      run((print) =>
        asOperator(async (operator) => {
          const revoked = await revokeAdminKeyOf(operator, keyId);
          print.result(revoked, columns(revoked));
          return 0;
        }),
      ),
  );
};
