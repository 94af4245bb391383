import { personalAccountId, type MemberRole } from '@tollkeeper/contracts';
import { describe, expect, it } from 'vitest';
import { refusalToRemove, roleToBe, type Standing } from './membership.js';

const standing = (
  role: MemberRole | undefined,
  otherMembers: number,
  otherOwners: number,
): Standing => ({ role, otherMembers, otherOwners });

describe('the role of a member', () => {
  it.each<[string, Standing, MemberRole | undefined, MemberRole | 'owner-required']>([
    ['of the first is owner', standing(undefined, 0, 0), undefined, 'owner'],
    ['of the first is nothing less', standing(undefined, 0, 0), 'member', 'owner-required'],
    ['of the next is member', standing(undefined, 1, 1), undefined, 'member'],
    ['is what was asked for', standing(undefined, 1, 1), 'admin', 'admin'],
    ['stays where none is asked for', standing('admin', 1, 1), undefined, 'admin'],
    ['stays the only owner’s', standing('owner', 3, 0), undefined, 'owner'],
    ['may not leave the account without owner', standing('owner', 3, 0), 'admin', 'owner-required'],
    ['may be less beside another owner', standing('owner', 3, 1), 'admin', 'admin'],
  ])('%s', (_what, now, role, expected) => {
    const verdict = roleToBe({ accountId: 'org', userId: 'u1', role }, now);
    expect('role' in verdict ? verdict.role : verdict.reason).toBe(expected);
  });

  it.each(['u1', 'u'.repeat(64)])('of a personal account is its owner’s alone: %s', (userId) => {
    const accountId = personalAccountId(userId);
    expect(roleToBe({ accountId, userId }, standing(undefined, 0, 0))).toEqual({ role: 'owner' });
    expect(roleToBe({ accountId, userId: 'other' }, standing(undefined, 1, 1))).toMatchObject({
      reason: 'personal-account',
    });
  });
});

describe('a removal', () => {
  it.each<[string, Standing, string | undefined]>([
    ['of somebody else', standing(undefined, 2, 1), 'not-a-member'],
    ['of the only owner', standing('owner', 2, 0), 'owner-required'],
    ['of one of two owners', standing('owner', 2, 1), undefined],
    ['of a member', standing('member', 1, 1), undefined],
  ])('%s', (_what, now, reason) => {
    expect(refusalToRemove(now)?.reason).toBe(reason);
  });
});
