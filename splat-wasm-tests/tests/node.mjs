// Runs steps of a WebAssembly module one after the other, and prints their reports, each followed by
// an empty line: node node.mjs MODULE STEP..

import { readFile } from "node:fs/promises";

const [path, ...steps] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(path));
const { memory, splat_run, splat_report } = instance.exports;
let text = "";
for (const step of steps) {
    const length = splat_run(Number(step));
    // The memory may have grown: its old buffer is then detached.
    text += Buffer.from(memory.buffer, splat_report(), length).toString() + "\n";
}
process.stdout.write(text);
