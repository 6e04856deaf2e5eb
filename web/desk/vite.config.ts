import { gzipSync } from "node:zlib";
import vue from "@vitejs/plugin-vue";
import { defineConfig, type Plugin } from "vite";

// `npm run dev -w desk` shows the desk with a server at SERVER (a running `make run`), and loads edits at once.
const server = process.env["SERVER"] ?? "http://127.0.0.1:8000";

/** What the workbench loads before it can be used, gzipped; everything else comes when its page is opened. */
const FIRST_MAX = 208 * 1024;

/** Checks the size of the first load: the page's own scripts and styles, and the workbench's. */
function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    writeBundle(_, bundle) {
      const first = new Set<string>();
      const take = (name: string): void => {
        const chunk = bundle[name];
        if (chunk === undefined || first.has(name)) return;
        first.add(name);
        if (chunk.type !== "chunk") return;
        for (const needed of chunk.imports) take(needed);
        for (const style of chunk.viteMetadata?.importedCss ?? []) take(style);
      };
      for (const [name, chunk] of Object.entries(bundle)) {
        if (chunk.type === "chunk" && (chunk.isEntry || chunk.facadeModuleId?.endsWith("/views/Workbench.vue"))) take(name);
      }
      let whole = 0;
      for (const name of first) {
        const built = bundle[name];
        if (built !== undefined) whole += gzipSync(built.type === "chunk" ? built.code : built.source).length;
      }
      console.log(`desk: ${first.size} files before the workbench can be used, ${whole} bytes of ${FIRST_MAX} (gzipped)`);
      if (whole > FIRST_MAX) this.error("The desk's first load is too large: load what the workbench does not need with its page.");
    },
  };
}

export default defineConfig({
  base: "/desk/",
  plugins: [vue(), firstLoad()],
  define: { __INTLIFY_JIT_COMPILATION__: true, __INTLIFY_PROD_DEVTOOLS__: false },
  build: { outDir: "../../server/pages/desk", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 1200 },
  server: { proxy: { "/v1": server, "/widget": server, "/ws": { target: server, ws: true } } },
});
