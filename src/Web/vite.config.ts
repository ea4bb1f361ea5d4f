import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const host = process.env['COORDINATOR_URL'] ?? 'http://localhost:8787';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    // The host's content security policy is default-src 'self': nothing may be inlined as a data: URI.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // Only for `npm run dev`: the host serves the built app and the API from one origin.
    proxy: { '/v1': { target: host, ws: true, changeOrigin: true } },
  },
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
  },
});
