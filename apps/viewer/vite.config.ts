/**
 * How the page is built. Everything is a file with the hash of its content in its name, so a strict
 * content security policy can forbid inline scripts and styles, and a cache may keep files forever.
 */
import { defineConfig } from 'vite';

/** Where `npm run dev` finds a gateway. */
const GATEWAY = 'http://127.0.0.1:7300';

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    // An inlined asset would be a data: address, which only images may have.
    assetsInlineLimit: 0,
    // The drawing library is loaded on its own, after the panel.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'pixi', test: /node_modules[\\/]pixi/ }] },
      },
    },
  },
  server: {
    proxy: {
      '/view': { target: GATEWAY, ws: true, changeOrigin: true },
      '/query': GATEWAY,
      '/snapshots': GATEWAY,
      '/pods': GATEWAY,
    },
  },
});
