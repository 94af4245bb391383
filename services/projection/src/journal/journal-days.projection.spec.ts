import { expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { given } from '../story/project-story.fixture.js';
import { journalDayRows } from './journal-days.projection.js';

it('turnovers are gathered by day and account, each entry on its own day', () => {
  const { journal } = given(new AccountStory('a').opened().granted('10').reserved('r', '4')).when(
    (story) => {
      story.settled('r', '12').later(86_400_000).granted('5');
    },
  );
  expect(journalDayRows(journal)).toEqual([
    row('2026-11-20', 'liability:credits:reserved', '4', '0'),
    row('2026-11-20', 'liability:credits:available', '6', '0'),
    row('2026-11-20', 'asset:receivable:debt', '2', '0'),
    row('2026-11-20', 'revenue:usage', '0', '12'),
    row('2026-11-21', 'asset:clearing:purchases', '5', '0'),
    // The grant's credit, and the debit of the debt that it repays.
    row('2026-11-21', 'liability:credits:available', '2', '5'),
    row('2026-11-21', 'asset:receivable:debt', '0', '2'),
  ]);
});

const row = (local_date: string, account: string, debits: string, credits: string): object => ({
  local_date,
  account,
  debits,
  credits,
});
