import {
  isPersonalAccountId,
  personalAccountId,
  type MemberRole,
  type Refused,
} from '@tollkeeper/contracts';

/** What of an account's members decides about one user. */
export interface Standing {
  /** Undefined: not a member. */
  readonly role: MemberRole | undefined;
  readonly otherMembers: number;
  readonly otherOwners: number;
}

export interface Candidate {
  readonly accountId: string;
  readonly userId: string;
  readonly role?: MemberRole | undefined;
}

type Verdict<T> = T | Refused;

export const refuse = (reason: string, message: string): Refused => ({
  status: 'refused',
  reason,
  message,
  retryable: false,
});

const ownerRequired = refuse('owner-required', 'an account has at least one owner');

/** The role that the user has from then on. A member keeps theirs where none is asked for. */
export const roleToBe = (
  { accountId, userId, role }: Candidate,
  standing: Standing,
): Verdict<{ readonly role: MemberRole }> => {
  if (isPersonalAccountId(accountId) && accountId !== personalAccountId(userId)) {
    return refuse('personal-account', 'a personal account has no member but its owner');
  }
  const next = role ?? standing.role ?? (standing.otherOwners === 0 ? 'owner' : 'member');
  return next !== 'owner' && standing.otherOwners === 0 ? ownerRequired : { role: next };
};

/** Undefined: may go. */
export const refusalToRemove = (standing: Standing): Refused | undefined => {
  if (standing.role === undefined) return notAMember;
  return standing.otherOwners === 0 ? ownerRequired : undefined;
};

export const notAMember = refuse('not-a-member', 'the user is not a member of the account');
