import {
  configReply,
  creditSubjects,
  explainReply,
  headers,
  partitionOf,
  pricingAdminSubjects,
  pricingSubjects,
  quoteReply,
  reserveReply,
  settleReply,
  type ConfigView,
  type ExplainView,
  type QuoteView,
} from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { waitUntil } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCreditCluster, type CreditCluster } from '../support/credit-cluster.js';
import { adminKeyOf, startFakeIdentity } from '../support/fake-identity.js';
import { startService, type ServiceProcess } from '../support/service-process.js';

const instances = ['a', 'b'] as const;
const leadMs = 2_000;
const model = { provider: 'openai', model: 'gpt-4o' };
const usage = { input: 1_000, output: 100 };

describe('a price book that admins change', () => {
  let cluster: CreditCluster;
  let projection: ServiceProcess;
  let operator: NatsConnection;
  let identity: NatsConnection;
  /** A node of KurrentDB may hold the accounts of an earlier run. */
  const run = crypto.randomUUID().slice(0, 8);
  let opened = 0;

  beforeAll(async () => {
    cluster = await startCreditCluster({
      instances,
      env: { PRICE_LEAD_MS: String(leadMs), LOG_LEVEL: 'warn' },
    });
    projection = await startService('projection', {
      DATABASE_URL: cluster.databaseUrl,
      KURRENTDB_URL: process.env['KURRENTDB_URL'],
      NATS_URL: cluster.nats.url('projection'),
      LOG_LEVEL: 'warn',
    });
    operator = await connectNats({ url: cluster.nats.url('operator'), name: 'spec' });
    identity = await startFakeIdentity(cluster.nats.url('gateway'), {
      alice: 'pricer',
      bob: 'pricer',
      vera: 'viewer',
    });
    await cluster.settled(...instances);
  }, 240_000);
  afterAll(async () => {
    await operator.close();
    await identity.close();
    await projection.stop();
    await cluster.stop();
  }, 60_000);

  const ask = (subject: string, body: object, key?: string): Promise<unknown> =>
    request(operator, subject, body, {
      timeoutMs: 20_000,
      ...(key === undefined ? {} : { headers: { [headers.adminKey]: key } }),
    });

  const as = (actor: string, subject: string, body: object): Promise<unknown> =>
    ask(subject, body, adminKeyOf(actor));

  const openAccount = async (owner: string): Promise<string> => {
    const { owners } = await cluster.ownership();
    let accountId = `acc_${run}_${String(++opened)}`;
    while (owners[partitionOf(accountId)] !== owner) accountId = `acc_${run}_${String(++opened)}`;
    await ask(creditSubjects.open(accountId), { ownerUserId: 'usr_1', tier: 'pro' });
    const grant = { commandId: uuidv7(), amountCredits: '100000' };
    expect(await ask(creditSubjects.grant(accountId), grant)).toMatchObject({ status: 'accepted' });
    return accountId;
  };

  const reserve = async (accountId: string, requestStartedAt: Date): Promise<string> => {
    const commandId = uuidv7();
    const reply = reserveReply.parse(
      await ask(creditSubjects.reserve(accountId), {
        commandId,
        candidates: [model],
        bounds: { inputTokens: 1_000, outputTokens: 100 },
        requestStartedAt: requestStartedAt.toISOString(),
      }),
    );
    expect(reply.status).toBe('accepted');
    return commandId;
  };

  /** The rules that the reservations of an account were quoted at, by reservation. */
  const rulesOf = async (accountId: string): Promise<Map<string, string | undefined>> => {
    const rules = new Map<string, string | undefined>();
    for (const event of await cluster.eventsOf(accountId)) {
      if (event.type !== 'Reserved') continue;
      rules.set(event.data.reservationId, event.data.quote?.candidates[0]?.multiplierRule);
    }
    return rules;
  };

  const settle = async (accountId: string, reservationId: string): Promise<void> => {
    const attempt = { ...model, usage };
    const body = { reservationId, attempts: [attempt] };
    const reply = settleReply.parse(await ask(creditSubjects.settle(accountId), body));
    expect(reply.status).toBe('accepted');
  };

  /** What the usage is charged now; on a node of KurrentDB an earlier run may have left other rules. */
  const quote = async (): Promise<QuoteView> => {
    const question = { ...model, tier: 'pro', usage };
    const reply = quoteReply.parse(await ask(pricingSubjects.quote, question));
    if ('status' in reply) throw new Error(reply.message);
    return reply;
  };

  const explain = async (accountId: string, reservationId: string): Promise<ExplainView> => {
    let view: ExplainView | undefined;
    await waitUntil(
      async () => {
        const reply = explainReply.parse(
          await ask(pricingSubjects.explain, { accountId, reservationId }),
        );
        if (!('status' in reply)) view = reply;
        return view !== undefined;
      },
      { timeoutMs: 60_000 },
    );
    if (!view) throw new Error(`${reservationId} is not explained`);
    return view;
  };

  const accepted = (reply: unknown): ConfigView => {
    const config = configReply.parse(reply);
    if (config.status !== 'accepted') throw new Error(config.message);
    return config.config;
  };

  const proposeAndApprove = async (multiplier: string): Promise<ConfigView> => {
    const proposed = accepted(
      await as('alice', pricingAdminSubjects.proposeConfig, {
        scope: { tier: 'pro' },
        multiplier,
        reason: 'spec',
      }),
    );
    const approval = { proposalId: proposed.ruleId, reason: 'agreed' };
    return accepted(await as('bob', pricingAdminSubjects.approve, approval));
  };

  it('takes two: who proposes does not approve, and calls are charged by the rule of their start', async () => {
    const accountId = await openAccount('a');
    const usual = await quote();
    const body = { scope: { tier: 'pro' }, multiplier: '3', reason: 'a dearer year' };
    const proposal = accepted(await as('alice', pricingAdminSubjects.proposeConfig, body));
    expect(proposal).toMatchObject({ status: 'proposed', proposedBy: 'alice', inForce: false });
    const { ruleId } = proposal;

    const approval = { proposalId: ruleId, reason: 'agreed' };
    const approve = pricingAdminSubjects.approve;
    expect(await as('alice', approve, approval)).toMatchObject({ reason: 'own-proposal' });
    expect(await as('vera', approve, approval)).toMatchObject({ reason: 'not-permitted' });
    expect(await as('mallory', approve, approval)).toMatchObject({ reason: 'not-authorized' });
    expect(await ask(approve, approval)).toMatchObject({ reason: 'not-authorized' });

    const approved = accepted(await as('bob', approve, approval));
    expect(approved).toMatchObject({ status: 'approved', decidedBy: 'bob', margin: '0.666667' });
    const effectiveMs = Date.parse(approved.effectiveFrom);
    await knows('a', approved);

    const old = await reserve(accountId, new Date(effectiveMs - 1));
    const fresh = await reserve(accountId, new Date(effectiveMs));
    await settle(accountId, old);
    await settle(accountId, fresh);

    const oldView = await explain(accountId, old);
    expect(oldView).toMatchObject({
      chargeCredits: usual.chargeCredits,
      attempts: [{ multiplier: usual.multiplier, rule: { ruleId: usual.multiplierRule } }],
    });
    const freshView = await explain(accountId, fresh);
    expect(freshView).toMatchObject({
      chargeCredits: '1.05',
      requestedAt: approved.effectiveFrom,
      attempts: [
        {
          multiplier: '3',
          priceVersion: 'openai:gpt-4o@1',
          rule: {
            ruleId,
            level: 'tier',
            proposedBy: 'alice',
            reason: 'a dearer year',
            decidedBy: 'bob',
            decisionReason: 'agreed',
          },
        },
      ],
    });
    expect(freshView.text.join('\n')).toContain('approved by bob');
  }, 120_000);

  /** Resolves when the instance prices a call that is to begin at the rule's time by it; answers when that was. */
  const knows = async (instance: string, rule: ConfigView): Promise<number> => {
    const accountId = await openAccount(instance);
    const at = new Date(rule.effectiveFrom);
    const isKnown = async (): Promise<boolean> => {
      const reservation = await reserve(accountId, at);
      return (await rulesOf(accountId)).get(reservation) === rule.ruleId;
    };
    expect(await waitUntil(isKnown, { timeoutMs: 50_000 })).toBe(true);
    return Date.now();
  };

  it('is followed by every instance: from its time on, and not before, calls are quoted at an approved rule', async () => {
    const accounts = new Map<string, string>();
    for (const instance of instances) accounts.set(instance, await openAccount(instance));
    const rule = await proposeAndApprove('4');
    const approvedMs = Date.parse(rule.decidedAt ?? '');
    const effectiveMs = Date.parse(rule.effectiveFrom);
    expect(effectiveMs).toBeGreaterThanOrEqual(approvedMs + leadMs);
    const known = await Promise.all(instances.map((instance) => knows(instance, rule)));

    const follow = async (instance: string): Promise<string> => {
      const accountId = accounts.get(instance) ?? '';
      const startedMs = new Map<string, number>();
      let after = 0;
      while (after < 5) {
        const nowMs = Date.now();
        startedMs.set(await reserve(accountId, new Date(nowMs)), nowMs);
        if (nowMs >= effectiveMs) after += 1;
      }
      const rules = await rulesOf(accountId);
      let firstMs = Infinity;
      for (const [reservation, ms] of startedMs) {
        const quoted = rules.get(reservation);
        if (ms >= effectiveMs) expect(quoted).toBe(rule.ruleId);
        else expect(quoted).not.toBe(rule.ruleId);
        if (quoted === rule.ruleId) firstMs = Math.min(firstMs, ms);
      }
      return `${instance}: first call at it ${String(firstMs - effectiveMs)} ms after it began`;
    };
    const followed = await Promise.all(instances.map(follow));
    const learnt = known.map((ms, place) => {
      const instance = instances[place] ?? '';
      return `${instance}: known ${String(ms - approvedMs)} ms after its approval at the latest`;
    });
    console.log([...learnt, ...followed].join('\n'));
  }, 120_000);

  it('decides once where two approve at the same time', async () => {
    const body = { scope: { tier: 'pro' }, multiplier: '5', reason: 'spec' };
    const { ruleId } = accepted(await as('alice', pricingAdminSubjects.proposeConfig, body));
    const approve = { proposalId: ruleId, reason: 'agreed' };
    const reject = { proposalId: ruleId, reason: 'too dear' };
    const replies = (await Promise.all([
      as('bob', pricingAdminSubjects.approve, { ...approve, commandId: uuidv7() }),
      as('bob', pricingAdminSubjects.reject, { ...reject, commandId: uuidv7() }),
      as('bob', pricingAdminSubjects.approve, { ...approve, commandId: uuidv7() }),
    ])) as { status: string; reason?: string }[];
    expect(replies.filter(({ status }) => status === 'accepted')).toHaveLength(1);
    expect(replies.filter(({ reason }) => reason === 'not-pending')).toHaveLength(2);
  }, 60_000);
});
