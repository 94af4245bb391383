import { personalAccountId as idOf } from '@tollkeeper/contracts';

/** The id of the account that `{ userId }` stands for. @throws TypeError where it is not a user id */
export const personalAccountId: (userId: string) => string = idOf;
