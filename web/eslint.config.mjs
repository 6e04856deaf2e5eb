// What is checked beyond types: mistakes, Vue's own rules, and that people without mouse or sight are served.
import js from "@eslint/js";
import jsx from "eslint-plugin-jsx-a11y-x";
import vue from "eslint-plugin-vue";
import accessibility from "eslint-plugin-vuejs-accessibility";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  { ignores: ["shared/src/protocol.ts", "**/dist/**"] },
  js.configs.recommended,
  ts.configs.strict,
  vue.configs["flat/recommended"],
  accessibility.configs["flat/recommended"],
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // The compiler knows which names there are.
      "no-undef": "off",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-console": ["error", { allow: ["warn", "error"] }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-dynamic-delete": "off",
    },
  },
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      "vue/no-v-html": "error",
      "vue/multi-word-component-names": "off",
      "vuejs-accessibility/label-has-for": ["error", { required: { some: ["nesting", "id"] }, controlComponents: ["slot", "ShelfChoice"] }],
      "vuejs-accessibility/no-autofocus": ["error", { ignoreNonDOM: true }],
      // A field hands the id of its label to its control by `v-bind`.
      "vuejs-accessibility/form-control-has-label": ["error", { labelComponents: ["Field"] }],
      // Layout of templates is not checked: lines are as long as they read well.
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/attributes-order": "off",
    },
  },
  {
    ...jsx.configs.strict,
    files: ["**/*.tsx"],
    // Preact writes `for` where React writes `htmlFor`.
    settings: { "jsx-a11y-x": { attributes: { for: ["for", "htmlFor"] } } },
  },
  {
    files: ["**/*.tsx"],
    rules: {
      // What scrolls is reached by the keyboard too.
      "jsx-a11y-x/no-noninteractive-tabindex": ["error", { roles: ["log"], tags: [] }],
      // A long press is a second way to what has a button.
      "jsx-a11y-x/no-static-element-interactions": [
        "error",
        { handlers: ["onClick", "onMouseDown", "onMouseUp", "onKeyPress", "onKeyDown", "onKeyUp"] },
      ],
    },
  },
  { files: ["**/test/**"], rules: { "@typescript-eslint/no-non-null-assertion": "off" } },
  { files: ["**/*.mjs", "**/vite.config.ts"], rules: { "no-console": "off" } },
);
