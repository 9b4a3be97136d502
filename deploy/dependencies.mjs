// Exits with 0 when node_modules holds what package-lock.json asks for: by its own list, and by the folders that are there. Runs on the machine's own Node.js.
import { existsSync, readFileSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed)) process.exit(1);
const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
const have = packages(installed);
const wanted = Object.entries(packages('package-lock.json')).filter(([path, entry]) => path && !entry.optional && !entry.devOptional);
process.exit(wanted.every(([path, entry]) => have[path]?.version === entry.version && existsSync(`${path}/package.json`)) ? 0 : 1);
