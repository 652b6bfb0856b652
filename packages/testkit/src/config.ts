/** What the testkit reads of the environment. */

/** CHROMIUM: the browser to test with; '' to look for one on PATH. */
export function chromiumSetting(env: NodeJS.ProcessEnv = process.env): string {
  return env['CHROMIUM'] ?? '';
}
