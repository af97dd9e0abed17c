// Steps that print `ok` or `not ok`; the last line counts them.

let passed = 0;
let failed = 0;

/** Runs a step; one that fails does not hide the others. */
export async function step(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    passed += 1;
    console.log(`ok - typescript: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - typescript: ${name}\n${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Prints the count. */
export function end(): void {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
