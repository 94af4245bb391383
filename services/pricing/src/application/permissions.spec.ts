import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import {
  adminRoles,
  pricingAdminSubjects,
  pricingSimulationSubjects,
  type AdminRole,
} from '@tollkeeper/contracts';
import { Admins, type VerifyAdminKey } from './admins.js';
import { permittedRoles, type PricingAdminCommand } from './permissions.js';

const yes = true;
const no = false;

/** Every cell: command, viewer, pricer, admin. */
const table: readonly (readonly [PricingAdminCommand, boolean, boolean, boolean])[] = [
  ['listConfigs', yes, yes, yes],
  ['proposeConfig', no, yes, yes],
  ['proposeWithdrawal', no, yes, yes],
  ['approve', no, yes, yes],
  ['reject', no, yes, yes],
  ['listVendorPrices', yes, yes, yes],
  ['publishVendorPrice', no, yes, yes],
  ['withdrawVendorPrice', no, yes, yes],
  ['importPrices', no, yes, yes],
  ['listAlerts', yes, yes, yes],
  ['decideAlert', no, yes, yes],
  ['listSettings', yes, yes, yes],
  ['changeSetting', no, no, yes],
  ['simulate', yes, yes, yes],
  ['simulationUsers', yes, yes, yes],
  ['rerate', no, no, yes],
];

const holders: Readonly<Record<string, AdminRole>> = {
  'key of viewer': 'viewer',
  'key of pricer': 'pricer',
  'key of admin': 'admin',
};

const hashes = new Map(
  Object.entries(holders).map(([key, role]) => [
    createHash('sha256').update(key).digest('hex'),
    role,
  ]),
);
const identity: VerifyAdminKey = (keyHash) => {
  const role = hashes.get(keyHash);
  return Promise.resolve(role && { actor: `${role}_1`, role });
};

describe('what a role may do', () => {
  test('is said of every command', () => {
    const commands = Object.keys({
      ...pricingAdminSubjects,
      ...pricingSimulationSubjects,
    }).sort();
    expect(table.map(([command]) => command).sort()).toEqual(commands);
    expect(Object.keys(permittedRoles).sort()).toEqual(commands);
  });

  const cells = table.flatMap(([command, ...cellsOfRow]) =>
    adminRoles.map((role, place) => [role, command, cellsOfRow[place] === yes] as const),
  );
  test.each(cells)('%s: %s is %s', async (role, command, permitted) => {
    const admitted = await new Admins(identity).admit(`key of ${role}`, command);
    expect(admitted).toMatchObject(
      permitted ? { actor: `${role}_1`, role } : { refused: 'not-permitted', retryable: false },
    );
  });
});

describe('a key', () => {
  test.each([undefined, '', 'key of nobody', 'KEY OF ADMIN'])(
    'that nobody holds is not authorized: %s',
    async (key) => {
      expect(await new Admins(identity).admit(key, 'listConfigs')).toMatchObject({
        refused: 'not-authorized',
        retryable: false,
      });
    },
  );

  test('is asked about by its hash, and remembered for ten seconds from the question on', async () => {
    let nowMs = 0;
    const verify = vi.fn(identity);
    const admins = new Admins(verify, () => nowMs);
    await admins.admit('key of admin', 'listConfigs');
    nowMs = 9_999;
    await admins.admit('key of admin', 'listConfigs');
    expect(verify).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(verify.mock.calls)).not.toContain('key of admin');
    nowMs = 10_000;
    await admins.admit('key of admin', 'listConfigs');
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test('that was revoked is refused once it is no longer remembered', async () => {
    let nowMs = 0;
    let revoked = false;
    const verify: VerifyAdminKey = (hash) =>
      revoked ? Promise.resolve(undefined) : identity(hash);
    const admins = new Admins(verify, () => nowMs);
    await admins.admit('key of admin', 'listConfigs');
    revoked = true;
    nowMs = 10_000;
    expect(await admins.admit('key of admin', 'listConfigs')).toMatchObject({
      refused: 'not-authorized',
    });
  });

  test('that is new works at once, though it was unknown a moment ago', async () => {
    let issued = false;
    const verify: VerifyAdminKey = (hash) => (issued ? identity(hash) : Promise.resolve(undefined));
    const admins = new Admins(verify);
    await admins.admit('key of admin', 'listConfigs');
    issued = true;
    expect(await admins.admit('key of admin', 'listConfigs')).toMatchObject({ role: 'admin' });
  });

  test('that nobody can check is refused for now, and says nothing of the key', async () => {
    const admins = new Admins(() => Promise.reject(new Error('no responders')));
    const refusal = await admins.admit('key of admin', 'changeSetting');
    expect(refusal).toMatchObject({ refused: 'busy', retryable: true });
    expect(JSON.stringify(refusal)).not.toContain('key of');
  });
});
