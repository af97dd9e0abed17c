// Compiles `src` twice, into ES modules and into CommonJS modules. `npm pack` runs it first.

import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(fileURLToPath(import.meta.url)));
rmSync('dist', { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
for (const options of [
  ['--outDir', 'dist/esm'],
  ['--outDir', 'dist/cjs', '--module', 'CommonJS', '--moduleResolution', 'Node10'],
]) {
  execFileSync(process.execPath, [tsc, ...options], { stdio: 'inherit' });
}
// The package's own type is `module`.
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
