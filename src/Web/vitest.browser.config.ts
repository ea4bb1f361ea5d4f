import { defineConfig } from 'vitest/config';

// The built app in a real browser against the mock host. Needs `npm run build` and a chromium (CHROMIUM names another).
export default defineConfig({
  test: { include: ['test/browser/**/*.browser.ts'], testTimeout: 30_000, hookTimeout: 30_000, fileParallelism: false, expect: { poll: { timeout: 15_000 } } },
});
