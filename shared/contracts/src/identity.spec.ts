import { seedActor } from '@tollkeeper/events';
import { expect, test } from 'vitest';
import { issueAdminKey } from './identity.js';

test.each([
  ['ann', true],
  [seedActor, false],
  ['Ann Smith', false],
  ['', false],
])('an admin key for the actor "%s" may be issued: %s', (actor, may) => {
  expect(issueAdminKey.safeParse({ actor, role: 'pricer' }).success).toBe(may);
});
