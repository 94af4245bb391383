import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { asAdmin } from './commands/running.js';
import { changedLines, setSetting, settingLines, settingsOf } from './pricing/settings.js';
import type { SetOptions } from './pricing/settings.js';

/** Settings that hold while everything runs. */
export const addSettingCommands = (program: Command, add: Add, run: Run): void => {
  const list = () =>
    run((print) =>
      asAdmin(async (operator) => {
        const found = await settingsOf(operator);
        print.result(found, settingLines(found));
        return 0;
      }),
    );
  const settings = add(program, 'settings', 'settings that hold while everything runs').action(
    list,
  );
  add(settings, 'list', 'every setting, what it means, and who set it').action(list);
  add(settings, 'set <key> <value>', 'change a setting; the default multiplier is proposed')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--effective-from <time>', 'ISO 8601; by default as soon as every service knows')
    .action((key: string, value: string, options: SetOptions) =>
      run((print) =>
        asAdmin(async (operator) => {
          const changed = await setSetting(operator, key, value, options);
          print.result(changed, changedLines(changed));
          return 0;
        }),
      ),
    );
};
