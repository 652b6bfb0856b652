/**
 * The outside checker of `leasehold chaos`: connects as ordinary clients, watches what they are
 * shown, and after `judge` on standard input compares each with the state in Redis. It talks in JSON
 * lines on standard output: `ready`, `seen` again and again, `standstill`, at last `judged`.
 */
import { createInterface } from 'node:readline';
import { faultReport } from '@leasehold/kernel';
import { type CheckerMessage, openChecker } from './chaos/checker.ts';
import { loadCheckerConfig } from './config.ts';

const say = (message: CheckerMessage | { readonly type: 'fault' }): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

try {
  const checker = await openChecker(loadCheckerConfig(process.env), say);
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    if (line.trim() !== 'judge') return;
    checker.judge().then(
      (judged) => {
        say(judged);
        process.exit(0);
      },
      (error: unknown) => {
        say({ type: 'fault', ...faultReport(error) });
        process.exit(2);
      },
    );
  });
  input.on('close', () => process.exit(0));
} catch (error) {
  say({ type: 'fault', ...faultReport(error) });
  process.exitCode = 2;
}
