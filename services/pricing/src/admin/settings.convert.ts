import type { SettingsReply, SettingView } from '@tollkeeper/contracts';
import { seedActor, settingStream } from '@tollkeeper/events';
import { settingDefinition, settingDefinitions } from '@tollkeeper/pricing';
import { ruleInForce } from '../domain/multiplier/state.js';
import { isPolicyField, policyFields } from '../domain/setting/change.js';
import { inForceAt, toCome, type PolicyEntry, type SettingEntry } from '../domain/setting/state.js';
import type { PriceBookRecords } from '../application/price-book-records.js';

/** A value and who set it; by nobody where the book began with it. */
interface Held {
  readonly value: string;
  readonly setBy: string;
  readonly setAt: string;
  readonly reason?: string;
}

/** Of a policy's fields each has changed when it did, whatever else the policy says. */
const entriesOfPolicy = (
  policies: readonly PolicyEntry[],
  key: keyof typeof policyFields,
): SettingEntry[] => {
  const entries: SettingEntry[] = [];
  for (const { effectiveFrom, setBy, setAt, reason, ...policy } of policies) {
    const value = String(policy[policyFields[key]]);
    if (entries.at(-1)?.value === value) continue;
    const because = reason === undefined ? {} : { reason };
    entries.push({ value, effectiveFrom, setBy, setAt, ...because });
  }
  return entries;
};

export const entriesOf = (records: PriceBookRecords, key: string): readonly SettingEntry[] => {
  if (!isPolicyField(key)) return records.settings.get(settingStream(key))?.entries ?? [];
  const policies = records.settings.get(settingStream('credit-policy'))?.policies ?? [];
  return entriesOfPolicy(policies, key);
};

const heldBy = (records: PriceBookRecords, key: string, at: Date): Held | undefined => {
  if (key !== 'default_multiplier') return inForceAt(entriesOf(records, key), at);
  const rules = records.multipliers.get('multiplier-default');
  const rule = rules && ruleInForce(rules, at);
  if (!rule) return undefined;
  const { multiplier: value, decidedBy, decidedAt, proposedBy, proposedAt, reason } = rule;
  return { value, setBy: decidedBy ?? proposedBy, setAt: decidedAt ?? proposedAt, reason };
};

const viewOf = (key: string, held: Held | undefined): SettingView => {
  const definition = settingDefinition(key);
  const view = {
    key,
    value: held?.value ?? definition?.standard ?? '',
    description: definition?.description ?? '',
  };
  if (!held || held.setBy === seedActor) return { ...view, changed: false };
  const { setAt, setBy, reason } = held;
  return {
    ...view,
    changed: true,
    updatedAt: setAt,
    updatedBy: setBy,
    ...(reason === undefined ? {} : { reason }),
  };
};

/** A setting as it holds at a moment, and what is to come. */
export const toSettingView = (records: PriceBookRecords, key: string, at: Date): SettingView => {
  const next = key === 'default_multiplier' ? undefined : toCome(entriesOf(records, key), at);
  return {
    ...viewOf(key, heldBy(records, key, at)),
    ...(next ? { next: { value: next.value, effectiveFrom: next.effectiveFrom } } : {}),
  };
};

/** As it will hold once its time comes. */
export const toChangedView = (key: string, entry: Held): SettingView => viewOf(key, entry);

const namesOf = ({ settings }: PriceBookRecords): string[] => {
  const recorded = [...settings.keys()].map((stream) => stream.slice(settingStream('').length));
  const others = recorded.filter(
    (name) => !Object.hasOwn(settingDefinitions, name) && settingDefinition(name) !== undefined,
  );
  return [...Object.keys(settingDefinitions), ...others.sort()];
};

/** Every setting that there is, and the exchange rates that were set. */
export const toSettingViews = (records: PriceBookRecords, at: Date): SettingView[] =>
  namesOf(records).map((key) => toSettingView(records, key, at));

/** For services: what admins have set, as it holds now. */
export const toSettingsReply = (records: PriceBookRecords, at: Date): SettingsReply => {
  const settings: Record<string, string> = {};
  for (const { key, value, changed } of toSettingViews(records, at)) {
    if (changed) settings[key] = value;
  }
  return { settings, asOf: at.toISOString() };
};
