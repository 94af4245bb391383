import type { CreditPolicy } from '@tollkeeper/events';
import { misplaced, type Recorded } from '../price-book/recorded.js';

/** A value from a date on, and who set it. */
export interface SettingEntry {
  readonly value: string;
  readonly effectiveFrom: string;
  readonly setBy: string;
  readonly setAt: string;
  readonly reason?: string;
}

export interface PolicyEntry extends CreditPolicy {
  readonly setBy: string;
  readonly setAt: string;
}

/** What was recorded of one setting, or of the credit policy, in order. */
export interface Setting {
  readonly entries: readonly SettingEntry[];
  readonly policies: readonly PolicyEntry[];
}

export const noSetting: Setting = { entries: [], policies: [] };

/** Applies a fact of a stream `setting-<name>`. @throws CorruptStreamError */
export const evolveSetting = (state: Setting, event: Recorded): Setting => {
  const by = { setBy: event.metadata.actor, setAt: event.metadata.occurredAt };
  if (event.type === 'CreditPolicySet') {
    return { ...state, policies: [...state.policies, { ...event.data, ...by }] };
  }
  if (event.type !== 'SettingChanged') return misplaced(event);
  const { value, effectiveFrom, reason } = event.data;
  const entry = { value, effectiveFrom, ...by, ...(reason === undefined ? {} : { reason }) };
  return { ...state, entries: [...state.entries, entry] };
};

interface Dated {
  readonly effectiveFrom: string;
}

/** The latest whose time has come; of two with the same date the later recorded. */
export const inForceAt = <T extends Dated>(entries: readonly T[], at: Date): T | undefined => {
  let found: T | undefined;
  for (const entry of entries) {
    const fromMs = Date.parse(entry.effectiveFrom);
    if (fromMs <= at.getTime() && (!found || fromMs >= Date.parse(found.effectiveFrom))) {
      found = entry;
    }
  }
  return found;
};

/** What is recorded and has not begun, the next to begin first. */
export const toCome = <T extends Dated>(entries: readonly T[], at: Date): T | undefined =>
  entries
    .filter(({ effectiveFrom }) => Date.parse(effectiveFrom) > at.getTime())
    .sort((a, b) => Date.parse(a.effectiveFrom) - Date.parse(b.effectiveFrom))[0];
