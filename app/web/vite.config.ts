import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The page is served from inside the program, so paths are relative to its own scheme and nothing is fetched.
export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  server: { port: 5179, strictPort: true },
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 900 },
  test: { include: ["tests/**/*.test.ts"] },
});
