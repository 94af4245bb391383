import { z } from 'zod';

/** A place that serves completions in OpenAI's wire format. */
export interface VendorConfig {
  readonly name: string;
  /** Up to and with `/v1`; `/chat/completions` is appended. */
  readonly baseUrl: string;
  /** Undefined where none is needed. Never logged, never sent anywhere but to `baseUrl`. */
  readonly apiKey: string | undefined;
  /** Azure wants `api-key: …`, everybody else `authorization: Bearer …`. */
  readonly keyHeader: 'authorization' | 'api-key';
  /** Appended to the path, e.g. `api-version=2026-01-01`. */
  readonly query: string | undefined;
  /** Names of the price book; `*` serves every provider. */
  readonly providers: readonly string[];
  /** The price book's model name → this vendor's, where they differ (Azure's deployments). */
  readonly modelNames: Readonly<Record<string, string>>;
  /** Where it runs calls, as its price list names it; its own rates and factors then hold. */
  readonly region?: string | undefined;
}

const vendor = z.object({
  name: z.string().regex(/^[\w.-]{1,64}$/),
  baseUrl: z.url({ protocol: /^https?$/ }),
  apiKeyEnv: z.string().min(1).optional(),
  keyHeader: z.enum(['authorization', 'api-key']).default('authorization'),
  query: z.string().optional(),
  providers: z.array(z.string().min(1)).min(1),
  modelNames: z.record(z.string(), z.string()).default({}),
  region: z.string().min(1).max(32).optional(),
});

interface Shortcut {
  readonly provider: string;
  readonly keyEnv: string;
  readonly baseUrlEnv: string;
  readonly baseUrl: string;
}

const shortcuts: readonly Shortcut[] = [
  {
    provider: 'openai',
    keyEnv: 'OPENAI_API_KEY',
    baseUrlEnv: 'OPENAI_BASE_URL',
    baseUrl: 'https://api.openai.com/v1',
  },
  {
    provider: 'anthropic',
    keyEnv: 'ANTHROPIC_API_KEY',
    baseUrlEnv: 'ANTHROPIC_BASE_URL',
    baseUrl: 'https://api.anthropic.com/v1',
  },
  {
    provider: 'google',
    keyEnv: 'GEMINI_API_KEY',
    baseUrlEnv: 'GEMINI_BASE_URL',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  },
  {
    provider: 'deepseek',
    keyEnv: 'DEEPSEEK_API_KEY',
    baseUrlEnv: 'DEEPSEEK_BASE_URL',
    baseUrl: 'https://api.deepseek.com/v1',
  },
  {
    provider: 'mistral',
    keyEnv: 'MISTRAL_API_KEY',
    baseUrlEnv: 'MISTRAL_BASE_URL',
    baseUrl: 'https://api.mistral.ai/v1',
  },
];

const plain = { keyHeader: 'authorization', query: undefined, modelNames: {} } as const;

const fromList = (env: NodeJS.ProcessEnv): VendorConfig[] => {
  const text = env['VENDORS'];
  if (!text) return [];
  const parsed = z.array(vendor).safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`VENDORS: ${z.prettifyError(parsed.error)}`);
  return parsed.data.map(({ apiKeyEnv, query, ...rest }) => {
    const apiKey = apiKeyEnv === undefined ? undefined : env[apiKeyEnv];
    if (apiKeyEnv !== undefined && !apiKey) {
      throw new Error(`VENDORS: ${rest.name}: ${apiKeyEnv} is not set`);
    }
    return { ...rest, query, apiKey };
  });
};

const fromShortcuts = (env: NodeJS.ProcessEnv): VendorConfig[] =>
  shortcuts.flatMap((shortcut) => {
    const apiKey = env[shortcut.keyEnv];
    if (!apiKey) return [];
    const baseUrl = env[shortcut.baseUrlEnv] ?? shortcut.baseUrl;
    return [{ ...plain, name: shortcut.provider, baseUrl, apiKey, providers: [shortcut.provider] }];
  });

/** Who serves completions, first choice first. The simulator only where nobody else is configured. */
export const vendorsOf = (env: NodeJS.ProcessEnv): readonly VendorConfig[] => {
  const real = [...fromList(env), ...fromShortcuts(env)];
  if (real.length > 0) return real;
  const simulator = env['SIMULATOR_URL'];
  if (!simulator) return [];
  const baseUrl = `${simulator.replace(/\/+$/, '')}/v1`;
  return [{ ...plain, name: 'simulator', baseUrl, apiKey: undefined, providers: ['*'] }];
};
