/** What the page asks the gateway over HTTP: one entity with all its components, and a kill. */
import { effect } from '@preact/signals';
import * as state from './state.ts';

const INSPECT_MS = 1_000;

type Fault = { readonly message?: string; readonly remedy?: string };
type Queried = {
  readonly tick: number;
  readonly entities: readonly Omit<state.Inspection, 'tick'>[];
};

/** As the map shows it, now or in the past. Throws an error whose message says what to do. */
export async function queryEntity(id: number, signal?: AbortSignal): Promise<state.Inspection> {
  const asOf = state.askedAsOf.value;
  const path = asOf === '' ? `query?id=${id}` : `query?id=${id}&asOf=${asOf}`;
  const reply = await fetch(path, signal === undefined ? {} : { signal });
  if (!reply.ok) throw new Error(await faultText(reply, 'the gateway did not answer the query'));
  const { tick, entities } = (await reply.json()) as Queried;
  const found = entities[0];
  if (found === undefined) throw new Error(`There is no entity ${id}.`);
  return { ...found, tick };
}

/** Asks for the death of a pod; the answer is a sentence for the user. */
export async function killPod(pod: string): Promise<string> {
  try {
    const reply = await fetch(`pods/${encodeURIComponent(pod)}/kill`, {
      method: 'POST',
      headers: { authorization: `Bearer ${state.token.value}` },
    });
    if (reply.ok) return `kill -9 was sent to ${pod}.`;
    return await faultText(reply, `${pod} was not killed`);
  } catch {
    return `${pod} was not killed: no gateway answers.`;
  }
}

async function faultText(reply: Response, otherwise: string): Promise<string> {
  const fault = (await reply.json().catch(() => ({}))) as Fault;
  return [fault.message ?? otherwise, fault.remedy].filter(Boolean).join('. ');
}

/** Keeps the selected entity's components current, once a second while the page is seen. */
export function startInspection(): void {
  effect(() => {
    const id = state.selected.value;
    const asOf = state.askedAsOf.value;
    if (id === 0) return;
    const abort = new AbortController();
    const inspect = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const found = await queryEntity(id, abort.signal);
        if (state.selected.value !== id || state.askedAsOf.value !== asOf) return;
        state.inspection.value = found;
        state.inspectionFault.value = '';
      } catch (error) {
        if (abort.signal.aborted) return;
        state.inspectionFault.value = error instanceof Error ? error.message : String(error);
      }
    };
    void inspect();
    const timer = setInterval(() => void inspect(), INSPECT_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  });
}

/** Selects an entity by what the user typed and shows where it is. */
export async function findEntity(text: string): Promise<string> {
  const id = Number(text.trim().replaceAll(',', ''));
  if (!Number.isSafeInteger(id) || id <= 0) return 'Type the id of an entity: a whole number.';
  try {
    const found = await queryEntity(id);
    const { spatial } = state.welcome.value ?? {};
    const place = spatial && found.components[spatial.component];
    if (spatial && place) {
      state.controls.value?.centreOn(Number(place[spatial.x]), Number(place[spatial.y]));
    }
    state.select(id);
    state.inspection.value = found;
    return `Entity ${id} is selected.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
