/** `leasehold entity request`: what became of a change that was asked for. */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import type { Output } from '../output.ts';
import { type ApiAddress, openApi } from './api.ts';

type RequestState = {
  readonly request: string;
  readonly state: 'pending' | 'applied' | 'refused';
  readonly posts: number;
  readonly answered: number;
  readonly tick?: number;
  readonly refusal?: { readonly code: string; readonly message: string };
};

/** Errors: what the cell refused it with, `REQUEST_UNKNOWN`, and those of `Api`. */
export async function request(address: ApiAddress, id: string, output: Output): Promise<void> {
  const api = await openApi(address);
  const state = (await api.ask('GET', `/requests/${encodeURIComponent(id)}`)).body as RequestState;
  if (state.state === 'refused') throw refused(state);
  output.json({ world: api.world, ...state });
  const at = state.tick === undefined ? '' : ` at tick ${state.tick}`;
  const waits = `waits: ${state.answered} of ${state.posts} answered`;
  output.print(state.state === 'applied' ? `applied${at}` : waits);
}

function refused({ request: id, refusal }: RequestState): LeaseholdError {
  // Codes of the cells are those of the product.
  const code = (refusal?.code ?? 'VALUE_INVALID') as ErrorCode;
  return new LeaseholdError(code, refusal?.message ?? 'the request was refused', {
    field: 'request',
    value: id,
    remedy: 'Ask for what the world allows: nothing was changed.',
  });
}
