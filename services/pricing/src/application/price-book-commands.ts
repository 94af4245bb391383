import { settingStream, vendorPriceStream } from '@tollkeeper/events';
import { decideProposal, type DecideProposal } from '../domain/multiplier/decide-proposal.js';
import { proposeMultiplier, type ProposeMultiplier } from '../domain/multiplier/propose.js';
import { evolveMultipliers, noMultipliers, type Multipliers } from '../domain/multiplier/state.js';
import { proposeWithdrawal, type ProposeWithdrawal } from '../domain/multiplier/withdraw.js';
import { nameOfId } from '../domain/price-book/recorded.js';
import { multiplierStream } from '../domain/price-book/seed-streams.js';
import {
  changeSetting,
  recordedAs,
  settingFault,
  type ChangeSetting,
} from '../domain/setting/change.js';
import { evolveSetting, noSetting, type Setting } from '../domain/setting/state.js';
import { alertOf, evolvePrices, noPrices, type ModelPrices } from '../domain/vendor-price/state.js';
import { decideAlert, type DecideAlert } from '../domain/vendor-price/decide-alert.js';
import type { OfferedPrice } from '../domain/vendor-price/offer.js';
import { publishPrice, withdrawPrice, type WithdrawPrice } from '../domain/vendor-price/publish.js';
import type { BookPolicy } from './book-policy.js';
import {
  isRefused,
  type BookCommand,
  type BookWriter,
  type WriteRefusal,
  type Written,
} from './book-writer.js';
import type { PriceBookReplica } from './price-book-replica.js';

type Result<S> = Promise<Written<S> | WriteRefusal>;

const multipliers = { none: noMultipliers, evolve: evolveMultipliers };
export const modelPrices = { none: noPrices, evolve: evolvePrices };
const setting = { none: noSetting, evolve: evolveSetting };

const streamOfRule = (id: string): string => `multiplier-${nameOfId(id)}`;
const streamOfVersion = (id: string): string => `vendorPrice-${nameOfId(id)}`;

export interface AlertDecided {
  readonly prices: Written<ModelPrices>;
  /** What the alert recommended, where it was to be proposed. */
  readonly proposal?: Written<Multipliers>;
}

/** What admins may do with the price book: each command finds its stream, and decides there. */
export class PriceBookCommands {
  constructor(
    private readonly writer: BookWriter,
    private readonly policy: BookPolicy,
    private readonly replica: PriceBookReplica,
  ) {}

  propose(fields: ProposeMultiplier, command: BookCommand): Result<Multipliers> {
    return this.writer.write(multiplierStream(fields.scope), multipliers, command, (state, at) =>
      proposeMultiplier(state, fields, this.policy.contextAt(at, command.actor)),
    );
  }

  proposeWithdrawal(fields: ProposeWithdrawal, command: BookCommand): Result<Multipliers> {
    return this.writer.write(streamOfRule(fields.ruleId), multipliers, command, (state, at) =>
      proposeWithdrawal(state, fields, this.policy.contextAt(at, command.actor)),
    );
  }

  decide(fields: DecideProposal, command: BookCommand): Result<Multipliers> {
    return this.writer.write(streamOfRule(fields.proposalId), multipliers, command, (state, at) =>
      decideProposal(state, fields, this.policy.contextAt(at, command.actor)),
    );
  }

  publish(offer: OfferedPrice, reason: string, command: BookCommand): Result<ModelPrices> {
    const stream = vendorPriceStream(offer.provider, offer.model);
    return this.writer.write(stream, modelPrices, command, (state, at) =>
      publishPrice(state, offer, reason, this.policy.contextAt(at, command.actor)),
    );
  }

  withdrawPrice(fields: WithdrawPrice, command: BookCommand): Result<ModelPrices> {
    const stream = streamOfVersion(fields.priceVersion);
    return this.writer.write(stream, modelPrices, command, (state, at) =>
      withdrawPrice(state, fields, this.policy.contextAt(at, command.actor)),
    );
  }

  /** Asked for again after a proposal that failed, it goes on where it stopped. */
  async decideAlert(
    fields: DecideAlert & { readonly proposeMultiplier: boolean },
    command: BookCommand,
  ): Promise<AlertDecided | WriteRefusal> {
    const { alertId, decision, reason } = fields;
    const stream = this.replica.records.streamOfAlert(alertId);
    if (stream === undefined) {
      const message = `there is no alert ${alertId}`;
      return { refused: 'unknown-alert', message, retryable: false };
    }
    const prices = await this.writer.write(stream, modelPrices, command, (state, at) =>
      decideAlert(state, fields, this.policy.contextAt(at, command.actor)),
    );
    if (isRefused(prices)) return prices;
    const recommended = alertOf(prices.state, alertId)?.raised.recommended;
    if (decision !== 'apply' || !fields.proposeMultiplier || !recommended) return { prices };
    const { scope, multiplier } = recommended;
    const { effectiveFrom } = fields;
    const proposal = await this.propose(
      { scope, multiplier, reason, alertId, effectiveFrom },
      command,
    );
    return isRefused(proposal) ? proposal : { prices, proposal };
  }

  changeSetting(fields: ChangeSetting, command: BookCommand): Result<Setting> {
    const stream = settingStream(recordedAs(fields.key));
    return this.writer.write(stream, setting, command, (state, at) =>
      changeSetting(state, fields, this.policy.contextAt(at, command.actor)),
    );
  }

  /** The default multiplier charges everybody: changing it takes two, as for any rule. */
  async proposeDefault(fields: ChangeSetting, command: BookCommand): Result<Multipliers> {
    const fault = settingFault(fields);
    if (fault) return { ...fault, retryable: false };
    const { value: multiplier, effectiveFrom, reason } = fields;
    return this.propose({ scope: {}, multiplier, effectiveFrom, reason }, command);
  }
}
