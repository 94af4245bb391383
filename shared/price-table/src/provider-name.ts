/**
 * What the price book calls providers, which tables call by several names: its names are those of
 * `@pydantic/genai-prices`, from which the shipped prices come. A name that is not here stays as it is.
 */
const names: Readonly<Record<string, string>> = {
  amazon_nova: 'amazon-nova',
  'amazon-bedrock': 'aws',
  azure_text: 'azure',
  bedrock: 'aws',
  bedrock_converse: 'aws',
  bedrock_mantle: 'aws',
  cohere_chat: 'cohere',
  'fireworks-ai': 'fireworks',
  fireworks_ai: 'fireworks',
  'fireworks_ai-embedding-models': 'fireworks',
  gemini: 'google',
  github_copilot: 'github-copilot',
  'google-vertex-anthropic': 'google-vertex',
  moonshot: 'moonshotai',
  'novita-ai': 'novita',
  'text-completion-codestral': 'codestral',
  'text-completion-inception': 'inception',
  'text-completion-openai': 'openai',
  together_ai: 'together',
  togetherai: 'together',
  vertex_ai: 'google-vertex',
  voyage: 'voyageai',
  xai: 'x-ai',
};

export const providerNameOf = (listed: string): string => {
  if (listed.startsWith('vertex_ai-')) return 'google-vertex';
  return Object.hasOwn(names, listed) ? (names[listed] ?? listed) : listed;
};
