import { defineConfig } from 'vite';

/** The policy of the page lets no script or style stand in it: all of them are files. */
export default defineConfig({
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { port: 4100 },
});
