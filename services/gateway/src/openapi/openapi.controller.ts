import { Controller, Get } from '@nestjs/common';
import { openApiDocument } from './openapi.document.js';

@Controller('api/openapi.json')
export class OpenApiController {
  private readonly document = openApiDocument();

  @Get()
  read(): object {
    return this.document;
  }
}
