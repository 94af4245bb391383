import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { pricingControllers } from '../pricing-admin/pricing-controllers.js';
import { QuoteController } from '../quote/quote.controller.js';
import { openApiDocument } from './openapi.document.js';

interface Described {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, object>>;
}

const document = openApiDocument() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

const tidy = (path: string): string => `/${path.split('/').filter(Boolean).join('/')}`;

/** Every route of the controllers with the status of its answer, as Nest will serve them. */
const served = [...pricingControllers, QuoteController].flatMap((controller) => {
  const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
  const handlers = Object.getOwnPropertyNames(controller.prototype)
    .map((name) => Reflect.get(controller.prototype, name) as object)
    .filter((handler) => Reflect.hasMetadata(METHOD_METADATA, handler));
  return handlers.map((handler) => {
    const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
    const path = tidy(`${base}/${Reflect.getMetadata(PATH_METADATA, handler) as string}`);
    const code = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
    const status = code ?? (verb === RequestMethod.POST ? 201 : 200);
    return `${RequestMethod[verb]} ${path.replaceAll(/:(\w+)/g, '{$1}')} ${String(status)}`;
  });
});

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(openApiDocument()));
    expect(result).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('describes every route with its status, and no other one', () => {
    const documented = described.map(({ path, method, operation }) => {
      const status = Object.keys(operation.responses).find((code) => code.startsWith('2'));
      return `${method.toUpperCase()} ${path} ${String(status)}`;
    });
    expect(documented.toSorted()).toEqual(served.toSorted());
  });

  it('names each operation once', () => {
    const ids = described.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes each part of a path', () => {
    for (const { path, operation } of described) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = operation.parameters.filter((each) => each.in === 'path');
      expect(parameters.map(({ name }) => name)).toEqual(named);
    }
  });

  it('offers an id to changes alone, which are answered once', () => {
    const offered = described.filter(({ operation }) =>
      operation.parameters.some(({ name }) => name === 'Idempotency-Key'),
    );
    const isRead = ({ path, method }: (typeof described)[number]): boolean =>
      method === 'get' || /\/(simulate|rerate|quote)$/.test(path);
    const changes = described.filter((each) => !isRead(each));
    expect(offered).toEqual(changes);
    expect(offered.length).toBeGreaterThan(5);
  });

  it('refers only to schemas that it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference]) => reference?.replace('#/components/schemas/', ''),
    );
    expect(references.length).toBeGreaterThan(50);
    const missing = references.filter(
      (name) => !Object.hasOwn(document.components.schemas, name ?? ''),
    );
    expect(missing).toEqual([]);
  });

  it('keeps money text, and refuses fields that nobody reads', () => {
    const { ProposeConfigRequest, Quote } = document.components.schemas;
    expect(ProposeConfigRequest).toMatchObject({
      additionalProperties: false,
      required: ['scope', 'multiplier', 'reason'],
      properties: { multiplier: { type: 'string' }, effectiveFrom: { format: 'date-time' } },
    });
    expect(Quote).toMatchObject({ properties: { chargeCredits: { type: 'string' } } });
    expect(Quote).not.toHaveProperty('additionalProperties');
  });
});
