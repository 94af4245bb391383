import type { FastifyReply } from 'fastify';
import type { Plan } from './behaviour.js';
import type { Call } from './call.js';
import type { Invoice } from './invoice.js';
import { completionJson, usageJson } from './wire.js';

const json = 'application/json; charset=utf-8';

export const bill = (invoice: Invoice, call: Call, completionTokens: number): void => {
  invoice.add({
    vendorRequestId: call.id,
    clientRequestId: call.clientRequestId,
    model: call.model,
    promptTokens: call.billed.promptTokens,
    completionTokens,
    cachedTokens: call.billed.cachedTokens,
    billed: true,
    at: new Date().toISOString(),
  });
};

const textOf = (call: Call, plan: Plan): string => {
  switch (plan.failure) {
    case 'no-usage':
      return completionJson(call.answer, undefined);
    case 'malformed':
      return completionJson(call.answer, undefined).slice(0, -20);
    case 'negative-usage':
      return completionJson(
        call.answer,
        usageJson({ promptTokens: -5, completionTokens: -7, cachedTokens: 0, reasoningTokens: 0 }),
      );
    default:
      return completionJson(call.answer, usageJson(call.billed));
  }
};

/** Answers without streaming. The model has generated, and bills, by the time it answers. */
export const answerWhole = (
  call: Call,
  plan: Plan,
  reply: FastifyReply,
  invoice: Invoice,
): void => {
  const answer = (): void => {
    bill(invoice, call, call.billed.completionTokens);
    if (reply.raw.destroyed) return;
    const text = textOf(call, plan);
    if (plan.failure === 'cut') {
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': json, 'content-length': Buffer.byteLength(text) });
      reply.raw.write(text.slice(0, text.length >> 1), () => reply.raw.destroy());
      return;
    }
    void reply.header('content-type', json).header('x-request-id', call.id).send(text);
  };
  if (plan.latencyMs === 0) {
    answer();
    return;
  }
  const started = performance.now();
  const timer = setTimeout(answer, plan.latencyMs);
  if (plan.hangUp === 'drain') return;
  reply.raw.once('close', () => {
    if (reply.raw.writableFinished || reply.raw.headersSent) return;
    clearTimeout(timer);
    const share = Math.min(1, (performance.now() - started) / plan.latencyMs);
    bill(invoice, call, Math.ceil(call.billed.completionTokens * share));
  });
};
