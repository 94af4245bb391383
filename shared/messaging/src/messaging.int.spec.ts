import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { Msg } from '@nats-io/transport-node';
import { partitionOf, type CommandBatch } from '@tollkeeper/contracts';
import {
  newNatsPasswords,
  startEphemeralNats,
  type EphemeralNats,
  type RunningNats,
} from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLane, type CommandLaneOptions } from './command-lane.js';
import { connectNats, inboxPrefixOf, type NatsConnection } from './connect.js';
import { MessageContext, NatsTransport } from './nats-transport.js';
import { NoReplyError, NoResponderError, request } from './request.js';

const batches: CommandBatch['commands'][number][][] = [];

@Controller()
class Echo {
  @MessagePattern('credit.v1.balance.*')
  balance(@Payload() body: unknown, @Ctx() message: MessageContext): object {
    return { accountId: message.accountId, body, actor: message.header('actor') };
  }

  @MessagePattern('credit.v1.charge.*')
  fails(): never {
    throw new Error('a secret detail');
  }

  /** Answers the slow commands of a batch in a second message. */
  @MessagePattern('credit.v1.batch.0')
  batch(@Payload() body: CommandBatch, @Ctx() message: MessageContext): void {
    batches.push([...body.commands]);
    const slow = (accountId: string): boolean => accountId === 'slow';
    const replies = body.commands.map(([, accountId, fields], place) => ({
      place,
      accountId,
      fields,
    }));
    const now = replies.filter((reply) => !slow(reply.accountId));
    const later = replies.filter((reply) => slow(reply.accountId));
    const send = (some: typeof replies, done: boolean): void => {
      message.reply({ replies: some.map(({ place, fields }) => [place, fields]), done });
    };
    setTimeout(() => send(now, later.length === 0), 10);
    if (later.length > 0) setTimeout(() => send(later, true), 150);
  }
}

@Module({ controllers: [Echo] })
class EchoModule {}

describe('messages over a real nats-server', () => {
  let server: RunningNats;
  let caller: NatsConnection;
  let gateway: NatsConnection;
  const stops: (() => Promise<unknown>)[] = [];
  const errors: unknown[] = [];

  beforeAll(async () => {
    server = await startEphemeralNats();
    const credit = await connectNats({ url: server.url('credit'), name: 'credit' });
    caller = await connectNats({ url: server.url('operator'), name: 'caller' });
    gateway = await connectNats({ url: server.url('gateway'), name: 'gateway' });
    const strategy = new NatsTransport({
      nats: credit,
      queue: 'credit',
      onError: (error) => errors.push(error),
    });
    const app = await NestFactory.createMicroservice(EchoModule, { strategy, logger: false });
    await app.listen();
    stops.push(
      () => app.close(),
      () => gateway.close(),
      () => caller.close(),
      () => credit.close(),
      () => server.stop(),
    );
  }, 120_000);
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  it('are plain JSON both ways, with ids in headers', async () => {
    const options = { timeoutMs: 2_000, headers: { 'Toll-Actor': 'spec' } };
    expect(await request(caller, 'credit.v1.balance.acc_1', { a: 1 }, options)).toEqual({
      accountId: 'acc_1',
      body: { a: 1 },
      actor: 'spec',
    });
  });

  it('may have an empty body, and are refused when it is not JSON', async () => {
    const empty = await caller.request('credit.v1.balance.acc_1', '', { timeout: 2_000 });
    expect(empty.json()).toMatchObject({ body: {} });
    const broken = await caller.request('credit.v1.balance.acc_1', '{', { timeout: 2_000 });
    expect(broken.json()).toMatchObject({ status: 'refused', reason: 'invalid-request' });
  });

  it('are answered when a handler fails, without its details', async () => {
    const reply = await request(caller, 'credit.v1.charge.acc_1', {}, { timeoutMs: 2_000 });
    expect(reply).toMatchObject({ status: 'refused', reason: 'internal', retryable: true });
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(errors).toHaveLength(1);
  });

  it('that nobody serves fail at once, told from those that nobody answers', async () => {
    await expect(request(caller, 'pricing.v1.models', {}, { timeoutMs: 2_000 })).rejects.toThrow(
      NoResponderError,
    );
  });

  const lane = (
    subject = 'credit.v1.batch.0',
    options: Partial<CommandLaneOptions> = {},
  ): CommandLane => {
    const made = new CommandLane(gateway, {
      ...options,
      subject,
      inboxPrefix: inboxPrefixOf(server.url('gateway')),
    });
    stops.unshift(() => {
      made.close();
      return Promise.resolve();
    });
    return made;
  };
  const send = (over: CommandLane, accountId: string, n: number): Promise<unknown> =>
    over.send({ verb: 'reserve', accountId, body: { n } }, 2_000);

  it('of one turn of the event loop leave in one batch, and each gets its own answer', async () => {
    batches.length = 0;
    const over = lane();
    const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => send(over, 'acc', n)));
    expect(replies).toEqual(Array.from({ length: 50 }, (_, n) => ({ n })));
    expect(batches.map((batch) => batch.length)).toEqual([50]);
  });

  it('gather while the lane is busy', async () => {
    batches.length = 0;
    const over = lane();
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n < 20; n++) {
      sent.push(send(over, 'acc', n));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(sent);
    expect(batches.length).toBeLessThan(10);
    expect(batches.flat()).toHaveLength(20);
  });

  it('of a slow account do not hold up their neighbours', async () => {
    const over = lane();
    const order: string[] = [];
    await Promise.all([
      send(over, 'slow', 1).then(() => order.push('slow')),
      send(over, 'fast', 2).then(() => order.push('fast')),
    ]);
    expect(order).toEqual(['fast', 'slow']);
  });

  it('without an answer are given up after their own time', async () => {
    const over = lane();
    const given = over.send({ verb: 'reserve', accountId: 'slow', body: {} }, 50);
    await expect(given).rejects.toThrow(NoReplyError);
    expect(await send(over, 'acc', 3)).toEqual({ n: 3 });
  });

  it('leave in several batches where they do not fit into one message', async () => {
    batches.length = 0;
    const over = lane();
    // Three bytes each on the wire, as the caller's own ids may be.
    const context = '界'.repeat(2_000);
    const commands = Array.from({ length: 600 }, (_, n) => ({ n, context }));
    const replies = await Promise.all(
      commands.map((body) => over.send({ verb: 'reserve', accountId: 'acc', body }, 5_000)),
    );
    expect(replies).toEqual(commands);
    expect(batches.length).toBeLessThan(10);
    const taken = batches.flat().map(([, , body]) => body);
    expect(taken).toEqual(commands);
  });

  it('that are too large for a message are refused, each alone', async () => {
    const over = lane();
    const huge = { text: 'x'.repeat(1024 * 1024) };
    const [refused, ...others] = await Promise.all([
      over.send({ verb: 'settle', accountId: 'acc', body: huge }, 5_000),
      ...Array.from({ length: 3 }, (_, n) => send(over, 'acc', n)),
    ]);
    expect(refused).toMatchObject({ status: 'refused', reason: 'invalid-request' });
    expect(others).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  it('go to the instance that an answer names, and to any when it is gone', async () => {
    const credit = await connectNats({ url: server.url('credit'), name: 'owner' });
    stops.unshift(() => credit.close());
    const taken = { any: 0, owner: 0 };
    const serve = (place: keyof typeof taken) => (_: unknown, message: Msg) => {
      const { commands } = message.json<CommandBatch>();
      taken[place] += commands.length;
      const replies = commands.map(([, , fields], at) => [at, fields] as const);
      const owners = place === 'any' ? [[partitionOf('acc'), 'b']] : undefined;
      message.respond(JSON.stringify({ replies, done: true, owners }));
    };
    credit.subscribe('credit.v1.batch.any', { callback: serve('any') });
    const owner = credit.subscribe('credit.v1.batch.b', { callback: serve('owner') });
    await credit.flush();
    const over = lane('credit.v1.batch.any');
    expect(await send(over, 'acc', 1)).toEqual({ n: 1 });
    expect(await send(over, 'acc', 2)).toEqual({ n: 2 });
    expect(taken).toEqual({ any: 1, owner: 1 });
    owner.unsubscribe();
    await credit.flush();
    const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => send(over, 'acc', n)));
    expect(replies).toHaveLength(20);
    expect(taken).toEqual({ any: 21, owner: 1 });
  });

  it('that begin a reservation are refused behind a long wait, those that end one are not and go first', async () => {
    const order: string[] = [];
    let seen = (): void => undefined;
    const refused = new Promise<void>((resolve) => (seen = resolve));
    const credit = await connectNats({ url: server.url('credit'), name: 'slow' });
    stops.unshift(() => credit.close());
    credit.subscribe('credit.v1.batch.slow', {
      callback: (_, message) => {
        const { commands } = message.json<CommandBatch>();
        order.push(...commands.map(([verb]) => verb));
        const replies = commands.map((__, at) => [at, { status: 'accepted' }] as const);
        void refused.then(() => message.respond(JSON.stringify({ replies, done: true })));
      },
    });
    await credit.flush();
    const over = lane('credit.v1.batch.slow', { waitMaxMs: 50, batchesMax: 1, commandsMax: 1 });
    const command = (verb: 'reserve' | 'settle') => ({ verb, accountId: 'acc', body: {} });
    const sent = [over.send(command('reserve'), 5_000), over.send(command('reserve'), 5_000)];
    await new Promise((resolve) => setTimeout(resolve, 100));
    const settled = over.send(command('settle'), 5_000);
    expect(await over.send(command('reserve'), 5_000)).toMatchObject({
      reason: 'overloaded',
      details: { retryAfterMs: 1_000 },
    });
    seen();
    for (const each of [...sent, settled]) expect(await each).toEqual({ status: 'accepted' });
    expect(order).toEqual(['reserve', 'settle', 'reserve']);
  });
});

describe('the connection of a service', () => {
  let server: EphemeralNats;
  beforeAll(async () => {
    server = await startEphemeralNats();
  }, 120_000);
  afterAll(() => server.stop());

  it('outlives a server that refuses its login for a while', async () => {
    const url = server.url('credit');
    const nats = await connectNats({ url, name: 'outliving' });
    const told: string[] = [];
    void (async () => {
      for await (const { type } of nats.status()) told.push(type);
    })();
    const heard = new Promise((resolve) => {
      nats.subscribe('credit.v1.balance.acc', { callback: (_, { subject }) => resolve(subject) });
    });
    const refusals = (): number => told.filter((type) => type === 'error').length;
    await server.startAgain(newNatsPasswords());
    await expect.poll(refusals, { timeout: 20_000 }).toBeGreaterThan(2);
    const again = await server.startAgain();
    expect(again.url('credit')).toBe(url);
    await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe('reconnect');
    await nats.flush();
    const caller = await connectNats({ url: again.url('operator'), name: 'caller' });
    caller.publish('credit.v1.balance.acc');
    expect(await heard).toBe('credit.v1.balance.acc');
    await Promise.all([nats.close(), caller.close()]);
  }, 60_000);

  it('is refused at the start where the login is wrong, rather than waited for', async () => {
    const url = server.url('credit').replace(/:[^:@]+@/, ':wrong@');
    await expect(connectNats({ url, name: 'wrong' })).rejects.toThrow(/authorization/i);
  });

  it('ends the process where it is closed for good, and not where it is closed', async () => {
    const run = async (what: string): Promise<[code: unknown, said: string]> => {
      const options = JSON.stringify({ url: server.url('credit'), name: 'lost' });
      const script = `const { connectNats } = await import('@tollkeeper/messaging');
        const nats = await connectNats(${options});
        const alive = setInterval(() => {}, 1_000);
        await ${what};
        setTimeout(() => clearInterval(alive));`;
      const args = ['--input-type=module', '--eval', script];
      const child = spawn(process.execPath, args, { cwd: import.meta.dirname });
      const said = text(child.stderr);
      const [code] = (await once(child, 'exit')) as [number | null];
      return [code, await said];
    };
    expect(await run(`nats.protocol.close(new Error('refused'))`)).toEqual([
      1,
      expect.stringContaining('ConnectionLostError'),
    ]);
    expect(await run('nats.close()')).toEqual([0, '']);
  });
});
