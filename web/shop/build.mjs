// Copies the demo's shop page to where the server serves it from.
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("./", import.meta.url));
const OUT = fileURLToPath(new URL("../../server/pages/shop/", import.meta.url));
rmSync(OUT, { recursive: true, force: true });
cpSync(SOURCE, OUT, { recursive: true, filter: (path) => !path.endsWith(".mjs") });
