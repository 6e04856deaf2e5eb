// Builds the widget: first the panel under a hashed name, then the loader that knows it; the same for its preview in the
// settings, which visitors never load. Sizes are checked here.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import preact from "@preact/preset-vite";
import { build } from "vite";

const OUT = fileURLToPath(new URL("../../server/pages/widget/", import.meta.url));
const SOURCE = fileURLToPath(new URL("src/", import.meta.url));
const LOADER_MAX = 5 * 1024;
const WHOLE_MAX = 35 * 1024;

const shared = { configFile: false, logLevel: "warn", root: SOURCE };

/** A panel under a hashed name, in an emptied folder; its name. */
async function panelIn(folder, entry) {
  await build({
    ...shared,
    plugins: [preact({ prefreshEnabled: false, devToolsEnabled: false })],
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: false,
      cssCodeSplit: false,
      lib: { entry, formats: ["es"], fileName: () => "panel-[hash].js" },
      rollupOptions: { output: { entryFileNames: "panel-[hash].js", chunkFileNames: "[name]-[hash].js" } },
    },
  });
  return readdirSync(folder).find((name) => name.startsWith("panel-"));
}

/** What stands in a page, and knows the panel. */
async function pagesPart(folder, lib, panel) {
  const define = { __PANEL__: JSON.stringify(panel) };
  await build({ ...shared, define, build: { outDir: folder, emptyOutDir: false, target: "es2020", lib } });
}

const panel = await panelIn(OUT, `${SOURCE}panel/main.tsx`);
const loading = { entry: `${SOURCE}loader.ts`, formats: ["iife"], name: "pointsmanLoader", fileName: () => "loader.js" };
await pagesPart(OUT, loading, panel);

const PREVIEW = `${OUT}preview/`;
const previewed = await panelIn(PREVIEW, `${SOURCE}preview/panel.tsx`);
await pagesPart(PREVIEW, { entry: `${SOURCE}preview/page.ts`, formats: ["es"], fileName: () => "page.js" }, previewed);
copyFileSync(`${SOURCE}preview/index.html`, `${PREVIEW}index.html`);

const zipped = (name) => gzipSync(readFileSync(OUT + name)).length;
const scripts = readdirSync(OUT).filter((name) => name.endsWith(".js"));
const loader = zipped("loader.js");
// Somebody loads the loader, the panel, what they share, and one language.
const languages = scripts.filter((name) => /^(en|zh-CN|zh-TW)-/.test(name)).map(zipped);
const others = scripts.filter((name) => !/^(en|zh-CN|zh-TW)-/.test(name)).map(zipped);
const whole = others.reduce((sum, size) => sum + size, 0) + Math.max(0, ...languages);
console.log(`widget: loader ${loader} bytes of ${LOADER_MAX}, in all ${whole} of ${WHOLE_MAX} (gzipped)`);
if (loader > LOADER_MAX || whole > WHOLE_MAX) {
  console.error("The widget is too large for shops' pages: make it smaller.");
  process.exit(1);
}
