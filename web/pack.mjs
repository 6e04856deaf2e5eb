// Packs what was built, so that the server sends it small without work of its own: each text once with Brotli, once gzipped.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const PAGES = fileURLToPath(new URL("../server/pages/", import.meta.url));
const TEXTS = /\.(js|css|html|svg|json)$/;
/** Below it, a packed file saves no packet on the way. */
const LEAST = 1000;

for (const name of readdirSync(PAGES, { recursive: true })) {
  if (!TEXTS.test(name)) continue;
  const text = readFileSync(PAGES + name);
  if (text.length < LEAST) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
  writeFileSync(`${PAGES}${name}.br`, brotliCompressSync(text, { params }));
  writeFileSync(`${PAGES}${name}.gz`, gzipSync(text, { level: 9 }));
}
