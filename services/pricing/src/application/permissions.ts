import type {
  AdminRole,
  pricingAdminSubjects,
  pricingSimulationSubjects,
} from '@tollkeeper/contracts';

export type PricingAdminCommand =
  keyof typeof pricingAdminSubjects | keyof typeof pricingSimulationSubjects;

const everyone: readonly AdminRole[] = ['viewer', 'pricer', 'admin'];
const pricers: readonly AdminRole[] = ['pricer', 'admin'];
const admins: readonly AdminRole[] = ['admin'];

/** Who may ask for what: by command, the roles. */
export const permittedRoles: Readonly<Record<PricingAdminCommand, readonly AdminRole[]>> = {
  listConfigs: everyone,
  proposeConfig: pricers,
  proposeWithdrawal: pricers,
  approve: pricers,
  reject: pricers,
  listVendorPrices: everyone,
  publishVendorPrice: pricers,
  withdrawVendorPrice: pricers,
  importPrices: pricers,
  listAlerts: everyone,
  decideAlert: pricers,
  listSettings: everyone,
  changeSetting: admins,
  simulate: everyone,
  simulationUsers: everyone,
  rerate: admins,
};
