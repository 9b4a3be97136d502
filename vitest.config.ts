import { defineConfig } from 'vitest/config';

/** Unit tests (`*.test.ts`) need nothing but this checkout; `*.itest.ts` need PostgreSQL and RabbitMQ. */
const integration = process.env['YAGURA_TESTS'] === 'integration';

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: [`{libs,services,deploy,tests}/**/*.${integration ? 'itest' : 'test'}.ts`],
    exclude: ['**/node_modules/**', 'dist/**', 'var/**'],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: integration ? 30_000 : 10_000,
  },
});
