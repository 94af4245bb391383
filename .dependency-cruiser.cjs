/** The architecture as rules with names: each is a direction that an import must not take. */
const service = '^services/([^/]+)/';
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle means that two files are one thought, or that a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'services-never-import-services',
      comment: 'Services meet in shared/contracts and on the bus.',
      severity: 'error',
      from: { path: service },
      to: { path: service, pathNot: '^services/$1/' },
    },
    {
      name: 'shared-never-imports-services',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(services|tests)/' },
    },
    {
      name: 'only-tests-import-tests',
      severity: 'error',
      from: { pathNot: '^tests/' },
      to: { path: '^tests/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'Time, ids and randomness arrive in the command; no framework, no I/O.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/domain/', pathNot: '\\.(spec|fixture)\\.ts$' },
      to: {
        pathNot: [
          '^services/[^/]+/src/domain/',
          '^shared/(kernel|pricing|events)/',
          '^node_modules/decimal\\.js',
        ],
      },
    },
    {
      name: 'domain-never-looks-up',
      severity: 'error',
      from: { path: '^services/[^/]+/src/domain/' },
      to: {
        path: '^services/[^/]+/src/(application|adapters|[^/]+\\.(module|controller|convert)\\.ts)',
      },
    },
    {
      name: 'application-never-imports-the-edge',
      severity: 'error',
      from: { path: '^services/[^/]+/src/application/' },
      to: { path: '^services/[^/]+/src/([^/]+\\.(module|controller|convert)\\.ts|main\\.ts)' },
    },
    {
      name: 'pricing-usage-and-kernel-are-pure',
      severity: 'error',
      from: {
        path: '^shared/(kernel|pricing|usage)/src/',
        pathNot: '\\.(spec|bench|fixture)\\.ts$',
      },
      to: { pathNot: ['^shared/(kernel|pricing|usage|events)/', '^node_modules/decimal\\.js'] },
    },
    {
      name: 'the-client-travels-light',
      comment:
        'Other platforms install it: what it imports is bundled into it, or installed with it.',
      severity: 'error',
      from: { path: '^shared/client/src/', pathNot: '\\.(spec|fixture)\\.ts$' },
      to: {
        pathNot: [
          '^shared/(client/src|contracts|kernel)/',
          '^node_modules/(decimal\\.js|@nats-io/transport-node)/',
          '^(node:)?(crypto|events|timers/promises)$',
        ],
      },
    },
    {
      name: 'only-the-module-names-adapters',
      comment: 'The composition root chooses; everyone else knows the port.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/(application|domain)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(shared/(postgres|servers)|node_modules/(pg|@kurrent))/' },
    },
    {
      name: 'nobody-imports-main',
      severity: 'error',
      from: {},
      to: { path: '^services/[^/]+/src/main\\.ts$' },
    },
    {
      name: 'tests-helpers-stay-out-of-products',
      severity: 'error',
      from: {
        path: '^(services|shared)/[^/]+/src/',
        pathNot: ['^shared/testing/', '\\.(spec|contract|fixture|bench)\\.ts$'],
      },
      to: { path: '^(shared/testing|node_modules/(vitest|fast-check|testcontainers))/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
