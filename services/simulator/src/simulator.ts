import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import type { RunningService } from '@tollkeeper/lifecycle';
import { behaviourUpdate, Behaviours } from './behaviour.js';
import { isBody, toCall } from './call.js';
import { Invoice } from './invoice.js';
import { answerWhole } from './answer-whole.js';
import { answerStream } from './answer-stream.js';
import { errorJson } from './wire.js';
import type { SimulatorConfig } from './simulator.config.js';

const statuses: Partial<Record<string, number>> = {
  'status-400': 400,
  'status-401': 401,
  'status-429': 429,
  'status-500': 500,
};

const json = 'application/json; charset=utf-8';

const fail = (reply: FastifyReply, status: number): FastifyReply => {
  if (status === 429) void reply.header('retry-after', '1');
  return reply.code(status).header('content-type', json).send(errorJson(status));
};

export const startSimulator = async (config: SimulatorConfig): Promise<RunningService> => {
  const behaviours = new Behaviours(config.behaviour);
  const invoice = new Invoice(config.dataDir);
  const server = Fastify({ logger: false, bodyLimit: 64 << 20, forceCloseConnections: true });

  server.post('/v1/chat/completions', (request, reply) => {
    complete(request, reply, behaviours, invoice);
  });
  server.get('/v1/models', () => ({
    object: 'list',
    data: ['gpt-4o', 'gpt-4o-mini'].map((id) => ({
      id,
      object: 'model',
      created: 0,
      owned_by: 'simulator',
    })),
  }));
  serveControls(server, behaviours, invoice);
  server.setErrorHandler((error, _request, reply) => {
    const status =
      error instanceof ZodError ? 400 : ((error as { statusCode?: number }).statusCode ?? 500);
    return reply.code(status).send({
      error: {
        message: (error as Error).message,
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
    });
  });

  const url = await server.listen({ host: config.host, port: config.port });
  return {
    url,
    stop: async () => {
      await server.close();
      invoice.close();
    },
  };
};

const complete = (
  request: FastifyRequest,
  reply: FastifyReply,
  behaviours: Behaviours,
  invoice: Invoice,
): void => {
  const body = request.body;
  if (!isBody(body)) {
    fail(reply, 400);
    return;
  }
  const plan = behaviours.planFor(body.model, request.headers);
  const status = statuses[plan.failure];
  if (status !== undefined) {
    if (plan.latencyMs === 0) fail(reply, status);
    else setTimeout(() => void fail(reply, status), plan.latencyMs);
    return;
  }
  // The connection stays open and silent until the client gives up.
  if (plan.failure === 'hang') {
    reply.hijack();
    return;
  }
  const clientRequestId = request.headers['x-client-request-id'];
  const call = toCall(
    body,
    plan,
    typeof clientRequestId === 'string' ? clientRequestId : undefined,
  );
  if (call.stream) answerStream(call, plan, reply, invoice);
  else answerWhole(call, plan, reply, invoice);
};

const serveControls = (server: FastifyInstance, behaviours: Behaviours, invoice: Invoice): void => {
  server.get('/healthz', () => ({ status: 'ok', billed: invoice.size }));
  server.get('/sim/behaviour', () => behaviours.current);
  server.put('/sim/behaviour', (request) => {
    behaviours.update(behaviourUpdate.parse(request.body));
    return behaviours.current;
  });
  server.delete('/sim/behaviour', () => {
    behaviours.reset();
    return behaviours.current;
  });
  server.get<{ Querystring: { since?: string } }>('/sim/invoice', (request, reply) =>
    reply.header('content-type', 'application/jsonl').send(invoice.text(request.query.since)),
  );
};
