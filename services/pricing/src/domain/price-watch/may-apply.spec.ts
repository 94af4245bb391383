import { expect, it } from 'vitest';
import type { AlertSeverity } from '@tollkeeper/events';
import { mayApply } from './may-apply.js';

it.each<[string, string, string, boolean, AlertSeverity, string, boolean]>([
  ['a rise of just the share', '0.05', '0', false, 'info', '0.05', true],
  ['a greater rise', '0.050001', '0', false, 'info', '0.05', false],
  ['a fall within the share', '-0.05', '0.05', false, 'info', '0.05', true],
  ['a greater fall', '-0.5', '0.5', false, 'info', '0.05', false],
  ['a great fall beside a small rise', '0.01', '0.5', false, 'info', '0.05', false],
  ['a warning within the share', '0.05', '0', false, 'warning', '0.05', true],
  ['a critical change within the share', '0.05', '0', false, 'critical', '0.05', false],
  ['a change that takes a price away', '0', '0', true, 'warning', '0.05', false],
  ['a fall where nothing is to be applied', '-0.01', '0.01', false, 'info', '0', false],
])('%s', (_what, costChange, costFall, losesPrice, severity, max, allowed) => {
  expect(mayApply({ costChange, costFall, losesPrice }, severity, max)).toBe(allowed);
});
