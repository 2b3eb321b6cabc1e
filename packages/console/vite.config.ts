import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

/**
 * Templates and style sheets are strings, which no minifier touches: their indentation and the comments of the
 * style sheets go here. A line break stays one, so that neither code nor the space between two words changes.
 */
const leanTemplates: Plugin = {
  name: 'lean-templates',
  apply: 'build',
  enforce: 'pre',
  transform: {
    filter: { id: /\/console\/src\/.*\.ts$/ },
    handler: (code, id) =>
      (/styles(\/|\.ts)/.test(id)
        ? code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/([{;:,])\s+/g, '$1')
        : code
      ).replaceAll(/\n[ \t]+/g, '\n'),
  },
};

/**
 * Nothing inline: the server's Content-Security-Policy has `script-src 'self'; style-src 'self'`. The
 * polyfill for module preload would be an inline script, and small assets would become data: addresses.
 */
export default defineConfig({
  plugins: [leanTemplates],
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: true,
    // The bundle contains other packages, whose licences must come with it.
    license: { fileName: 'THIRD-PARTY-NOTICES.md' },
  },
});
