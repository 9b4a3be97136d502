import { defineConfig } from 'vitest/config';

/**
 * Kinds of tests, by file name. Unit tests need nothing but this checkout; integration tests PostgreSQL and RabbitMQ;
 * the rest a cloud that is up, which they share: one file after the other. Those named `.long.` are left out where
 * YAGURA_QUICK says so: they show with many boots what others show of a neighbouring case.
 */
const KINDS: Readonly<Record<string, { suffix: string; timeout: number; parallel: boolean }>> = {
  unit: { suffix: 'test', timeout: 60_000, parallel: true },
  integration: { suffix: 'itest', timeout: 60_000, parallel: true },
  e2e: { suffix: 'e2e', timeout: 240_000, parallel: false },
  security: { suffix: 'security', timeout: 120_000, parallel: false },
  chaos: { suffix: 'chaos', timeout: 1_500_000, parallel: false },
};

const kind = KINDS[process.env['YAGURA_TESTS'] ?? 'unit'] ?? KINDS['unit']!;

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: [`{libs,services,deploy,tests}/**/*.${kind.suffix}.ts`],
    exclude: ['**/node_modules/**', 'dist/**', 'var/**', ...(process.env['YAGURA_QUICK'] ? ['**/*.long.*'] : [])],
    // Files with native parts of their own (hashing, compilers) end threads in ways that have taken the whole run along.
    pool: kind.suffix === 'itest' ? 'forks' : 'threads',
    maxWorkers: kind.parallel ? 2 : 1,
    fileParallelism: kind.parallel,
    testTimeout: kind.timeout,
    hookTimeout: kind.timeout,
  },
});
