import svelte from "eslint-plugin-svelte";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist/", "node_modules/", "src/generated/"] },
  ...ts.configs.recommended,
  ...svelte.configs["flat/recommended"],
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    rules: {
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "svelte/require-each-key": "error",
      "svelte/no-at-html-tags": "error",
      // Plain collections are kept beside the state on purpose where a version number tells the page to look again.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  {
    // Only the api folder speaks with the program.
    files: ["src/**/*.{ts,svelte}"],
    ignores: ["src/api/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["@tauri-apps/*"] }] },
  },
);
