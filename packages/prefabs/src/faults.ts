/** Faults of prefabs: collected all, told in one error, each with file, line, field and remedy. */
import { LeaseholdError } from '@leasehold/kernel';

export type PrefabFault = {
  /** From the root of the repository. */
  readonly file: string;
  readonly line: number | undefined;
  /** `components.<component>.<field>`. */
  readonly field: string;
  readonly value: string;
  readonly problem: string;
  readonly remedy: string;
};

/** More are not read by anybody. */
const FAULTS_TOLD_MAX = 20;
const VALUE_CHARACTERS_MAX = 60;

/** `PREFAB_INVALID` with one line for each. */
export function prefabError(
  where: string,
  faults: readonly [PrefabFault, ...PrefabFault[]],
): LeaseholdError {
  const [first] = faults;
  const lines = faults.slice(0, FAULTS_TOLD_MAX).map(({ file, line, field, problem, remedy }) => {
    const at = line === undefined ? file : `${file}, line ${line}`;
    return `${at}: ${field}: ${problem}. ${remedy}`;
  });
  if (faults.length > lines.length) lines.push(`and ${faults.length - lines.length} more.`);
  const message =
    faults.length === 1
      ? `${where}: ${lines[0]}`
      : `${where} has ${faults.length} faults:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  const { field, value, remedy } = first;
  return new LeaseholdError('PREFAB_INVALID', message, { field, value, remedy });
}

/** A value as a message shows it: on one line, and not for long. */
export function printable(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}
