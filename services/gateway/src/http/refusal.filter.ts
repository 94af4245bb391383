import {
  Catch,
  HttpException,
  Inject,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '@tollkeeper/telemetry';
import { loggerToken } from '../gateway.tokens.js';
import { HttpRefusal, type RefusalFields } from './http-refusal.js';
import { toOpenAiError, toProblem } from './refusal.convert.js';

const messages: Readonly<Record<number, string>> = {
  400: 'The request could not be read: the body must be JSON.',
  404: 'There is no such route.',
  413: 'The request body is too large.',
  415: 'The request body must be application/json.',
};

/** Only statuses that blame the caller are believed: whatever else is thrown is ours. */
const callersStatus = (error: unknown): number | undefined => {
  const status =
    error instanceof HttpException
      ? error.getStatus()
      : (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
};

const answer = (reply: FastifyReply, url: string, fields: RefusalFields): void => {
  const underV1 = url.startsWith('/v1/');
  if (fields.retryAfterS !== undefined) {
    void reply.header('retry-after', String(fields.retryAfterS));
  }
  if (fields.status === 401 && !underV1) void reply.header('www-authenticate', 'Bearer');
  const type = underV1 ? 'application/json' : 'application/problem+json';
  const body = underV1 ? toOpenAiError(fields) : toProblem(fields);
  void reply.code(fields.status).header('content-type', type).send(JSON.stringify(body));
};

/** A URL that the router cannot read never reaches Nest. */
export const refuseBadUrl = (_error: unknown, request: FastifyRequest, reply: FastifyReply): void =>
  answer(reply, request.raw.url ?? '', {
    status: 400,
    type: 'invalid_request_error',
    code: null,
    message: 'The URL cannot be read.',
  });

/** Gives every refusal the shape of its route, and never a stack trace. */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  constructor(@Inject(loggerToken) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const fields = this.fieldsOf(error);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    answer(reply, http.getRequest<FastifyRequest>().url, fields);
  }

  private fieldsOf(error: unknown): RefusalFields {
    if (error instanceof HttpRefusal) return error.fields;
    const status = callersStatus(error);
    if (status !== undefined) {
      const message = messages[status] ?? 'The request was refused.';
      return { status, type: 'invalid_request_error', code: null, message };
    }
    this.logger.error({ err: error }, 'a request failed');
    return {
      status: 500,
      type: 'server_error',
      code: 'internal_error',
      message: 'The gateway failed. The request can be tried again.',
    };
  }
}
