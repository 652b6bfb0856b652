/** The clock of a world, and the cut that somebody reads of it, as `db/lua` keeps them. */
import type { WorldClock } from '@leasehold/protocol';
import type { TwinServer } from './server.ts';

export function clockOf(server: TwinServer, key: string): WorldClock | undefined {
  const { clock, pin } = server.world(key);
  if (clock === undefined || pin === undefined || pin.untilMs <= server.nowMs()) return clock;
  return { ...clock, cutTick: pin.tick };
}

export function setClockOf(
  server: TwinServer,
  key: string,
  { cutTick: _, ...set }: Omit<WorldClock, 'baseMs'>,
): WorldClock {
  const clock = { ...set, baseMs: server.nowMs() };
  server.world(key).clock = clock;
  return clock;
}

export function pinCutOf(server: TwinServer, key: string, tick: number, forMs: number): void {
  server.world(key).pin = forMs > 0 ? { tick, untilMs: server.nowMs() + forMs } : undefined;
}
