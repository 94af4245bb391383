import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { bill } from './answer-whole.js';
import type { Plan } from './behaviour.js';
import type { Call } from './call.js';
import type { Invoice } from './invoice.js';
import { ChunkWriter } from './wire.js';

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
} as const;

/** Answers as server-sent events, token by token, at the plan's rate. */
export const answerStream = (
  call: Call,
  plan: Plan,
  reply: FastifyReply,
  invoice: Invoice,
): void => {
  reply.hijack();
  const begin = (): void => {
    reply.raw.writeHead(200, { ...streamHeaders, 'x-request-id': call.id });
    if (plan.chunkIntervalMs === 0) sendAtOnce(call, plan, reply.raw, invoice);
    else sendSlowly(call, plan, reply.raw, invoice);
  };
  if (plan.latencyMs === 0) begin();
  else setTimeout(begin, plan.latencyMs);
};

const ending = (call: Call, plan: Plan, writer: ChunkWriter): string => {
  if (plan.failure === 'no-usage') return writer.last() + writer.done;
  if (plan.failure === 'malformed') return 'data: {"id":"chatcmpl-\n\n';
  return writer.last() + writer.usage(call.billed) + writer.done;
};

const sendAtOnce = (call: Call, plan: Plan, raw: ServerResponse, invoice: Invoice): void => {
  const writer = new ChunkWriter(call.answer, call.includeUsage);
  const tokens = call.answer.textTokens;
  const sent = plan.failure === 'cut' ? tokens >> 1 : tokens;
  const parts = [writer.first()];
  for (let token = 0; token < sent; token += plan.tokensPerChunk) {
    parts.push(writer.tokens(Math.min(plan.tokensPerChunk, sent - token)));
  }
  if (plan.failure === 'cut') {
    bill(invoice, call, sent * call.answer.choices);
    raw.write(parts.join(''), () => raw.destroy());
    return;
  }
  bill(invoice, call, call.billed.completionTokens);
  raw.end(parts.join('') + ending(call, plan, writer));
};

const sendSlowly = (call: Call, plan: Plan, raw: ServerResponse, invoice: Invoice): void => {
  const writer = new ChunkWriter(call.answer, call.includeUsage);
  const total = call.answer.textTokens;
  const cutAt = plan.failure === 'cut' ? total >> 1 : Number.POSITIVE_INFINITY;
  const { choices } = call.answer;
  const { reasoningTokens } = call.billed;
  let sent = 0;
  let ended = false;
  const end = (completionTokens: number): void => {
    ended = true;
    clearInterval(timer);
    bill(invoice, call, completionTokens);
  };
  raw.write(writer.first());
  const timer = setInterval(() => {
    if (sent >= cutAt) {
      end(sent * choices + reasoningTokens);
      raw.destroy();
      return;
    }
    if (sent >= total) {
      end(call.billed.completionTokens);
      raw.end(ending(call, plan, writer));
      return;
    }
    const count = Math.min(plan.tokensPerChunk, total - sent, cutAt - sent);
    sent += count;
    if (!raw.destroyed) raw.write(writer.tokens(count));
  }, plan.chunkIntervalMs);
  raw.once('close', () => {
    if (!ended && plan.hangUp === 'stop') end(sent * choices + reasoningTokens);
  });
};
