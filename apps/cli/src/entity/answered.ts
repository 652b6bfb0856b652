/** What a command exits with, by what came of its question to the API. */
import { LeaseholdError } from '@leasehold/kernel';
import type { Output } from '../output.ts';

/** Of the work, if it says so; 1 for what the API refuses or cannot find. Throws what was wrong before anything was asked. */
export async function answered(work: () => Promise<unknown>, output: Output): Promise<number> {
  try {
    const code = await work();
    return typeof code === 'number' ? code : 0;
  } catch (error) {
    if (!(error instanceof LeaseholdError) || isOfFlags(error)) throw error;
    output.fault(error);
    return 1;
  }
}

/** The API names fields of what it was sent; flags are of the command alone. */
const isOfFlags = ({ code, detail }: LeaseholdError): boolean =>
  code === 'API_UNREACHABLE' || detail.field.startsWith('--');
