import { defineConfig } from 'vite';

/**
 * Nothing inline: the server's Content-Security-Policy has `script-src 'self'; style-src 'self'`. The
 * polyfill for module preload would be an inline script, and small assets would become data: addresses.
 */
export default defineConfig({
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: true,
  },
});
