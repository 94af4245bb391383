import { headers, type Refused } from '@tollkeeper/contracts';
import type { NatsConnection } from '@tollkeeper/messaging';

export interface SeenMessage {
  readonly subject: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly adminKey: string | undefined;
  readonly commandId: string | undefined;
}

type Answer = (message: SeenMessage) => object | undefined;

const now = '2026-11-20T12:00:00.000Z';

export const config = {
  ruleId: 'provider:openrouter,model:meta/llama:free,tier:pro@2',
  scope: { provider: 'openrouter', model: 'meta/llama:free', tier: 'pro' },
  level: 'provider+model+tier',
  multiplier: '1.4',
  margin: '0.285714',
  effectiveFrom: now,
  status: 'proposed',
  inForce: false,
  proposedBy: 'ann',
  proposedAt: now,
  reason: 'less',
};

export const price = {
  priceVersion: 'openrouter:meta/llama:free@3',
  provider: 'openrouter',
  model: 'meta/llama:free',
  aliases: [],
  effectiveFrom: now,
  inForce: true,
  rates: [{ meter: 'input', unit: 'token', per: '1000000', rateUsd: '0.2' }],
  source: { name: 'list' },
  publishedBy: 'ann',
  publishedAt: now,
};

const alert = {
  alertId: 'alert-1',
  provider: 'openai',
  model: 'gpt-4o',
  severity: 'warning',
  state: 'acknowledged',
  priceVersion: 'openai:gpt-4o@1',
  changes: [{ meter: 'input', unit: 'token', per: '1000000', fromUsd: '2.5', toUsd: '3' }],
  costChange: '0.2',
  margins: [],
  raisedAt: now,
  source: { name: 'list' },
};

const setting = { key: 'margin_guard', value: 'flag', description: 'what', changed: true };

const quote = {
  provider: 'openai',
  model: 'gpt-4o',
  priceVersion: 'openai:gpt-4o@1',
  lines: [],
  vendorCostUsd: '0.1',
  multiplier: '1.5',
  multiplierRule: 'tier:pro@1',
  multiplierLevel: 'tier',
  policyId: 'policy-1',
  usdPerCredit: '0.01',
  chargeCredits: '15',
  chargeUsd: '0.15',
  flags: [],
  at: now,
};

const explanation = {
  accountId: 'acc1',
  reservationId: 'r1',
  requestedAt: now,
  attempts: [],
  vendorCostUsd: '0',
  usdPerCredit: '0.01',
  creditDecimals: 4,
  chargeCredits: '0',
  roundingCredits: '0',
  refundedCredits: '0',
  flags: [],
  text: [],
  asOf: now,
};

const accepted: Readonly<Record<string, object>> = {
  'pricing.admin.v1.list-configs': { configs: [config], asOf: now },
  'pricing.admin.v1.propose-config': { status: 'accepted', config },
  'pricing.admin.v1.propose-withdrawal': { status: 'accepted', config },
  'pricing.admin.v1.approve': { status: 'accepted', config },
  'pricing.admin.v1.reject': { status: 'accepted', config },
  'pricing.admin.v1.list-vendor-prices': { prices: [price], asOf: now },
  'pricing.admin.v1.publish-vendor-price': { status: 'accepted', price },
  'pricing.admin.v1.withdraw-vendor-price': { status: 'accepted', price },
  'pricing.admin.v1.list-alerts': { alerts: [alert], asOf: now },
  'pricing.admin.v1.decide-alert': { status: 'accepted', alert },
  'pricing.admin.v1.list-settings': { settings: [setting], asOf: now },
  'pricing.admin.v1.change-setting': { status: 'accepted', setting, effectiveFrom: now },
  'pricing.v1.quote': quote,
  'pricing.v1.explain': explanation,
};

const acceptAll: Answer = ({ subject }) => accepted[subject];

/** A pricing service that accepts what it is told, over real NATS, and remembers what it was sent. */
export class FakePricing {
  readonly seen: SeenMessage[] = [];
  answer: Answer = acceptAll;

  constructor(nats: NatsConnection) {
    for (const subject of Object.keys(accepted)) {
      nats.subscribe(subject, {
        callback: (_error, message) => {
          const seen: SeenMessage = {
            subject,
            body: message.json(),
            adminKey: message.headers?.get(headers.adminKey),
            commandId: message.headers?.get(headers.commandId),
          };
          this.seen.push(seen);
          const reply = this.answer(seen);
          if (reply) message.respond(JSON.stringify(reply));
        },
      });
    }
  }

  refuse(reason: string, more: Partial<Refused> = {}): void {
    const refusal = { status: 'refused', reason, message: `is ${reason}`, retryable: false };
    this.answer = () => ({ ...refusal, ...more });
  }

  reset(): void {
    this.seen.length = 0;
    this.answer = acceptAll;
  }
}
