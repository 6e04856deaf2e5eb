import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// `npm run dev -w desk` shows the desk with a server at SERVER (a running `make run`), and loads edits at once.
const server = process.env["SERVER"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/desk/",
  plugins: [vue()],
  define: { __INTLIFY_JIT_COMPILATION__: true, __INTLIFY_PROD_DEVTOOLS__: false },
  build: { outDir: "../../server/pages/desk", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 1200 },
  server: { proxy: { "/v1": server, "/ws": { target: server, ws: true } } },
});
