import {
  configAccepted,
  configView,
  decideProposal,
  listConfigs,
  proposeConfig,
} from '@tollkeeper/contracts';
import { z } from 'zod';
import { operation } from '../http/operation.js';
import { always, none, ofCommands, withdrawalFields } from './parameters.js';

const path = '/api/admin/pricing/configs';
const tag = 'configs';
const ruleParams = z.object({ ruleId: z.string().min(1).max(300) });
const proposalParams = decideProposal.pick({ proposalId: true });

export const configPage = z
  .object({ configs: z.array(configView), next: z.string().optional(), asOf: z.string() })
  .meta({ description: 'Without `next`, the last page.' });

export const listConfigsOperation = operation({
  id: 'listConfigs',
  method: 'GET',
  path,
  tag,
  summary: 'Multipliers and what became of their proposals, a page at a time.',
  key: 'admin',
  fields: listConfigs,
  params: none,
  status: 200,
  reply: configPage,
  refusals: always,
});

export const proposeConfigOperation = operation({
  id: 'proposeConfig',
  method: 'POST',
  path,
  tag,
  summary: 'Propose a multiplier for a scope; somebody else approves it.',
  key: 'admin',
  fields: proposeConfig.omit({ commandId: true }),
  params: none,
  status: 201,
  reply: configAccepted,
  refusals: [...ofCommands, 'below-cost', 'unknown-alert'],
});

export const reviseConfigOperation = operation({
  id: 'reviseConfig',
  method: 'PATCH',
  path: `${path}/{ruleId}`,
  tag,
  summary: 'Propose a new version of a multiplier, for the same scope.',
  key: 'admin',
  fields: proposeConfig.omit({ commandId: true, scope: true }),
  params: ruleParams,
  status: 201,
  reply: configAccepted,
  refusals: [...ofCommands, 'unknown-config', 'below-cost', 'unknown-alert'],
});

export const withdrawConfigOperation = operation({
  id: 'withdrawConfig',
  method: 'DELETE',
  path: `${path}/{ruleId}`,
  tag,
  summary: 'Propose the withdrawal of a multiplier; somebody else approves it.',
  key: 'admin',
  fields: withdrawalFields,
  params: ruleParams,
  status: 202,
  reply: configAccepted,
  refusals: [...ofCommands, 'unknown-config', 'not-in-force', 'not-pending'],
});

const decided = {
  method: 'POST',
  tag,
  key: 'admin',
  fields: decideProposal.pick({ reason: true }),
  params: proposalParams,
  status: 200,
  reply: configAccepted,
  refusals: [...ofCommands, 'own-proposal', 'unknown-config', 'not-pending', 'below-cost'],
} as const;

export const approveConfigOperation = operation({
  ...decided,
  id: 'approveConfig',
  path: `${path}/{proposalId}/approve`,
  summary: 'Approve a proposal, or a proposed withdrawal, of somebody else.',
});

export const rejectConfigOperation = operation({
  ...decided,
  id: 'rejectConfig',
  path: `${path}/{proposalId}/reject`,
  summary: 'Reject a proposal, or a proposed withdrawal, of somebody else.',
});
