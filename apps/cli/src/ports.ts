/** On which ports gateways, and others, listen: found, or refused, before anything is started. */
import { createServer } from 'node:net';
import { LeaseholdError } from '@leasehold/kernel';

export const PORT_DEFAULT = 7_300;
/** Looked at from the default on; so many in a row are taken by somebody who means it. */
const PORTS_TRIED_MAX = 100;

/** The only address a gateway is bound to here: who may kill pods must be on this machine. */
export const LOOPBACK = '127.0.0.1';

/** Whether a server could listen there at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/**
 * As many free ports as there are gateways. A port that was asked for must be free, and those after
 * it; else the next free ones after `from` are taken, none of `avoided` among them. Throws
 * `PORT_IN_USE`.
 */
export async function choosePorts(
  count: number,
  given: number,
  avoided: readonly number[] = [],
  from = PORT_DEFAULT,
): Promise<number[]> {
  const ports: number[] = [];
  const first = given === 0 ? from : given;
  const end = first + (given === 0 ? PORTS_TRIED_MAX : count);
  for (let port = first; port < end && ports.length < count; port++) {
    if (avoided.includes(port)) continue;
    if (await isPortFree(port)) ports.push(port);
    else if (given !== 0) throw taken(String(port), `port ${port} is taken`);
  }
  if (ports.length < count) throw taken(`${first} to ${end - 1}`, 'these ports are taken');
  return ports;
}

function taken(value: string, message: string): LeaseholdError {
  return new LeaseholdError('PORT_IN_USE', message, {
    field: '--port',
    value,
    remedy: 'End what listens there, or give another --port.',
  });
}
