import {
  changeSetting,
  listSettingsReply,
  pricingAdminSubjects,
  settingReply,
  type ConfigView,
  type SettingView,
} from '@tollkeeper/contracts';

import { checkedBody } from '../commands/correction.js';
import type { Operator } from '../operator.js';
import { columns, table } from '../print.js';
import { orderFields } from '../order-fields.js';
import { multiplierLines } from './multipliers.js';

export const settingsOf = async (operator: Operator): Promise<SettingView[]> => {
  const subject = pricingAdminSubjects.listSettings;
  const question = { subject, body: {}, reply: listSettingsReply };
  return (await orderFields(operator, question)).settings;
};

export interface SetOptions {
  readonly reason: string;
  readonly effectiveFrom?: string;
}

export interface ChangedSetting {
  readonly setting: SettingView;
  readonly effectiveFrom: string;
  readonly config?: ConfigView | undefined;
}

export const setSetting = (
  operator: Operator,
  key: string,
  value: string,
  options: SetOptions,
): Promise<ChangedSetting> => {
  const body = checkedBody(changeSetting, { key, value, ...options });
  const subject = pricingAdminSubjects.changeSetting;
  return orderFields(operator, { subject, body, reply: settingReply });
};

const shown = (value: string): string => (value === '' ? '(empty)' : value);

export const settingLines = (settings: readonly SettingView[]): string[] =>
  table(
    ['setting', 'value', 'set by', 'at', 'meaning'],
    settings.map((setting) => [
      setting.key,
      shown(setting.value),
      setting.changed ? (setting.updatedBy ?? '-') : 'built in',
      setting.updatedAt ?? '-',
      setting.description,
    ]),
  );

export const changedLines = ({ setting, effectiveFrom, config }: ChangedSetting): string[] =>
  config
    ? ['proposed', ...multiplierLines([config])]
    : columns({ setting: setting.key, value: shown(setting.value), from: effectiveFrom });
