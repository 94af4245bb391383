import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startEphemeralNats } from './ephemeral-nats.js';
import { NATS_USERS, type NatsUser, type RunningNats } from './start-nats.js';

/**
 * Speaks the protocol itself: the server reports a violation before it answers the PING that
 * follows, so that "nothing was refused" needs no waiting and no client's interpretation.
 */
class Probe {
  private received = '';

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => (this.received += chunk.toString('latin1')));
  }

  static async open(url: string): Promise<Probe> {
    const { port, hostname, username, password } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const probe = new Probe(socket);
    const options = { user: username, pass: password, verbose: false, protocol: 1, headers: true };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\n`);
    return probe;
  }

  /** What the server says to these lines. */
  async say(...lines: readonly string[]): Promise<string> {
    this.received = '';
    this.socket.write([...lines, 'PING', ''].join('\r\n'));
    return this.hear('PONG');
  }

  async hear(text: string): Promise<string> {
    while (!this.received.includes(text)) await once(this.socket, 'data');
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

const inboxes = NATS_USERS.map((user) => `_INBOX_${user}.x`);
const none: readonly NatsUser[] = [];
const responders: readonly NatsUser[] = ['gateway', 'credit', 'pricing', 'projection'];

/** Who may publish; everybody else must be refused. */
const PUBLISHERS: Readonly<Record<string, readonly NatsUser[]>> = {
  'credit.v1.reserve.acc': ['gateway', 'platform', 'operator'],
  'credit.v1.balance.acc': ['gateway', 'projection', 'platform', 'operator'],
  'credit.v1.afford.acc': ['gateway', 'platform', 'operator'],
  'credit.admin.v1.open.acc': ['operator'],
  'credit.admin.v1.grant.acc': ['operator'],
  'credit.admin.v1.refund.acc': ['operator'],
  'credit.admin.v1.adjust.acc': ['operator'],
  'credit.direct.v1.credit': ['credit'],
  'pricing.v1.models': ['gateway', 'operator'],
  'pricing.admin.v1.publish-vendor-price': ['gateway', 'operator'],
  'credit.admin.v1.rerate.acc': ['pricing', 'operator'],
  'identity.v1.verify-admin-key': ['pricing'],
  'identity.admin.v1.issue-admin-key': ['operator'],
  'projection.v1.open-reservations': ['gateway', 'credit', 'pricing', 'platform', 'operator'],
  'projection.admin.v1.rebuild': ['operator'],
  'identity.admin.v1.issue-key': ['operator'],
  'identity.admin.v1.remove-member': ['operator'],
  'identity.v1.access-changed': ['gateway'],
  'completion.v1.completed.acc': ['gateway'],
  'deadletter.v1.credit': ['credit'],
  'ledger.v1.Settled.acc': ['projection'],
  ...Object.fromEntries(inboxes.map((inbox) => [inbox, responders])),
  '_INBOX.x': responders,
  '$JS.API.INFO': ['gateway', 'credit', 'projection', 'operator'],
  '$KV.credit-partitions.table': ['credit'],
  '$KV.credit-partitions.beat.credit': ['credit'],
  '$KV.other.table': none,
  '$JS.API.STREAM.CREATE.KV_credit-partitions': ['credit'],
  '$JS.API.STREAM.INFO.KV_credit-partitions': ['credit', 'operator'],
  '$JS.API.STREAM.MSG.GET.KV_credit-partitions': ['credit', 'operator'],
  '$JS.API.STREAM.UPDATE.KV_credit-partitions': none,
  '$JS.API.STREAM.DELETE.KV_credit-partitions': none,
  '$JS.API.STREAM.PURGE.KV_credit-partitions': none,
  '$JS.API.STREAM.CREATE.COMPLETIONS': ['gateway'],
  '$JS.API.STREAM.UPDATE.COMPLETIONS': ['gateway'],
  '$JS.API.STREAM.INFO.COMPLETIONS': ['gateway', 'operator'],
  '$JS.API.STREAM.CREATE.LEDGER': ['projection'],
  '$JS.API.STREAM.UPDATE.LEDGER': ['projection'],
  '$JS.API.STREAM.INFO.LEDGER': ['projection', 'operator'],
  '$JS.API.STREAM.DELETE.LEDGER': none,
  '$JS.API.STREAM.PURGE.LEDGER': none,
  '$JS.API.STREAM.CREATE.KV_credit-snapshots': ['credit'],
  '$JS.API.STREAM.UPDATE.KV_credit-snapshots': ['credit'],
  '$JS.API.STREAM.INFO.KV_credit-snapshots': ['credit', 'operator'],
  '$JS.API.DIRECT.GET.KV_credit-snapshots.$KV.credit-snapshots.acc': ['credit', 'operator'],
  '$KV.credit-snapshots.acc': ['credit'],
  '$JS.API.STREAM.DELETE.KV_credit-snapshots': none,
  '$JS.API.STREAM.PURGE.KV_credit-snapshots': none,
  '$JS.API.STREAM.CREATE.OTHER': none,
  '$JS.API.STREAM.DELETE.COMPLETIONS': none,
  '$JS.API.STREAM.PURGE.COMPLETIONS': none,
  '$JS.API.STREAM.MSG.DELETE.COMPLETIONS': none,
  '$JS.API.CONSUMER.CREATE.COMPLETIONS': ['operator'],
  '$JS.API.CONSUMER.MSG.NEXT.COMPLETIONS.c': ['operator'],
  '$JS.ACK.COMPLETIONS.c.1.1.1.1.0': ['operator'],
  '$JS.API.ACCOUNT.PURGE.x': none,
  '$SYS.REQ.SERVER.PING': none,
  'anything.else': none,
};

/** Who may subscribe. */
const SUBSCRIBERS: Readonly<Record<string, readonly NatsUser[]>> = {
  'credit.v1.>': ['credit'],
  'credit.admin.v1.>': ['credit'],
  'credit.direct.v1.>': ['credit'],
  '$KV.credit-partitions.table': ['credit'],
  '$KV.>': none,
  'pricing.v1.>': ['pricing'],
  'pricing.admin.v1.>': ['pricing'],
  'projection.v1.>': ['projection'],
  'projection.admin.v1.>': ['projection'],
  'identity.admin.v1.>': ['gateway'],
  'identity.v1.access-changed': ['gateway'],
  'identity.v1.verify-admin-key': ['gateway'],
  'completion.v1.>': ['operator'],
  'ledger.v1.>': ['operator'],
  'deadletter.v1.>': none,
  ...Object.fromEntries(NATS_USERS.map((user) => [`_INBOX_${user}.>`, [user]])),
  '_INBOX.>': ['operator'],
  '$JS.API.>': none,
  '$SYS.>': none,
  '>': none,
};

const cells = (table: Readonly<Record<string, readonly NatsUser[]>>) =>
  Object.entries(table).flatMap(([subject, allowed]) =>
    NATS_USERS.map((user) => ({ user, subject, verdict: verdictOf(allowed.includes(user)) })),
  );

const verdictOf = (allowed: boolean): 'may' | 'may not' => (allowed ? 'may' : 'may not');

describe('permissions of nats-server.conf', () => {
  let server: RunningNats;
  const probes = new Map<NatsUser, Probe>();

  const probeOf = (user: NatsUser): Probe => {
    const probe = probes.get(user);
    if (!probe) throw new Error(`no probe for ${user}`);
    return probe;
  };

  beforeAll(async () => {
    server = await startEphemeralNats();
    for (const user of NATS_USERS) probes.set(user, await Probe.open(server.url(user)));
  }, 240_000);

  afterAll(async () => {
    for (const probe of probes.values()) probe.close();
    await server.stop();
  });

  it.each(cells(PUBLISHERS))('$user $verdict publish $subject', async (cell) => {
    const answer = await probeOf(cell.user).say(`PUB ${cell.subject} 2`, '{}');
    expect(verdictOf(!answer.includes('Permissions Violation'))).toBe(cell.verdict);
  });

  it.each(cells(SUBSCRIBERS))('$user $verdict subscribe $subject', async (cell) => {
    const answer = await probeOf(cell.user).say(`SUB ${cell.subject} 900`, 'UNSUB 900');
    expect(verdictOf(!answer.includes('Permissions Violation'))).toBe(cell.verdict);
  });

  it('carries a request of the gateway to one of the queue group credit, and the reply back', async () => {
    const [gateway, credit] = [probeOf('gateway'), probeOf('credit')];
    await credit.say('SUB credit.v1.> credit 1');
    await gateway.say('SUB _INBOX_gateway.> 1');
    await gateway.say('PUB credit.v1.reserve.acc _INBOX_gateway.r1 7', 'reserve');
    expect(await credit.hear('reserve\r\n')).toContain('credit.v1.reserve.acc');
    await credit.say('PUB _INBOX_gateway.r1 8', 'reserved');
    expect(await gateway.hear('reserved\r\n')).toContain('_INBOX_gateway.r1');
  });

  it('carries a request of another platform service to credit, and the reply to it alone', async () => {
    const [platform, credit] = [probeOf('platform'), probeOf('credit')];
    await credit.say('SUB credit.v1.> credit 2');
    await platform.say('SUB _INBOX_platform.> 1');
    await platform.say('PUB credit.v1.balance.acc _INBOX_platform.r1 4', 'look');
    expect(await credit.hear('look\r\n')).toContain('credit.v1.balance.acc');
    await credit.say('PUB _INBOX_platform.r1 4', 'seen');
    expect(await platform.hear('seen\r\n')).toContain('_INBOX_platform.r1');
  });

  it('refuses a wrong password', async () => {
    const probe = await Probe.open(`nats://gateway:wrong@127.0.0.1:${server.port.toString()}`);
    expect(await probe.hear('-ERR')).toContain('Authorization Violation');
    probe.close();
  });
});
