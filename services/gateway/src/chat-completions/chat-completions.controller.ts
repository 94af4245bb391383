import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiKeys } from '../identity/api-keys.js';
import { toChatCall } from './chat-call.convert.js';
import { ChatCompletions } from './chat-completions.js';
import { ClientReply } from './client-reply.js';

@Controller()
export class ChatCompletionsController {
  constructor(
    @Inject(ApiKeys) private readonly keys: ApiKeys,
    @Inject(ChatCompletions) private readonly completions: ChatCompletions,
  ) {}

  @Post('v1/chat/completions')
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = await this.keys.identify(request.headers.authorization);
    const call = toChatCall(request.body, request.headers, caller);
    await this.completions.complete(call, caller, new ClientReply(reply));
  }
}
