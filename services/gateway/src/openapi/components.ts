import {
  alertView,
  configScope,
  configView,
  costLine,
  explainView,
  quoteView,
  rateBody,
  ruleTrail,
  rerateView,
  settingView,
  simulatedFigures,
  simulationView,
  vendorPriceBody,
  vendorPriceView,
} from '@tollkeeper/contracts';
import { z } from 'zod';

const problem = z
  .looseObject({
    type: z.string().meta({ description: 'urn:tollkeeper:problem:<reason>, or about:blank.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ description: 'What is wrong, by its type (RFC 9457).' });

/** Schemas of what is answered that have a name of their own. */
export const answered: Readonly<Record<string, z.ZodType>> = {
  Alert: alertView,
  Config: configView,
  CostLine: costLine,
  Explanation: explainView,
  Problem: problem,
  Quote: quoteView,
  RuleTrail: ruleTrail,
  Rerating: rerateView,
  Setting: settingView,
  SimulatedFigures: simulatedFigures,
  Simulation: simulationView,
  VendorPrice: vendorPriceView,
};

/** And of what is sent. */
export const sent: Readonly<Record<string, z.ZodType>> = {
  ConfigScope: configScope,
  Rate: rateBody,
  VendorPriceBody: vendorPriceBody,
};
