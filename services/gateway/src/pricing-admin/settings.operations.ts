import { changeSetting, configView, settingView } from '@tollkeeper/contracts';
import { z } from 'zod';
import { operation } from '../http/operation.js';
import { always, none, ofCommands } from './parameters.js';

const path = '/api/admin/pricing/settings';
const tag = 'settings';

const settingList = z.object({ settings: z.array(settingView), asOf: z.string() });

const settingAccepted = z.object({
  status: z.literal('accepted'),
  setting: settingView,
  effectiveFrom: z.string(),
  config: configView
    .optional()
    .meta({ description: 'What somebody else is to approve before it holds.' }),
});

export const listSettingsOperation = operation({
  id: 'listSettings',
  method: 'GET',
  path,
  tag,
  summary: 'Run-time settings, what they mean, and who changed them.',
  key: 'admin',
  fields: none,
  params: none,
  status: 200,
  reply: settingList,
  refusals: always,
});

export const changeSettingOperation = operation({
  id: 'changeSetting',
  method: 'PATCH',
  path: `${path}/{key}`,
  tag,
  summary: 'Change a setting; `default_multiplier` becomes a proposal.',
  key: 'admin',
  fields: changeSetting.omit({ commandId: true, key: true }),
  params: changeSetting.pick({ key: true }),
  status: 200,
  reply: settingAccepted,
  refusals: [...ofCommands, 'unknown-setting', 'below-cost'],
});
