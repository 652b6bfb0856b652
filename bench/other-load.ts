/** What the processors do for others than this process and those that it has started, where there is /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** As Linux counts processor time, whatever the machine. */
const TICKS_PER_S = 100;

/** Processor seconds so far of all others; differences count. NaN where there is no /proc. */
export function otherCpuSeconds(): number {
  try {
    return (busyTicks() - ownTicks()) / TICKS_PER_S;
  } catch {
    return Number.NaN;
  }
}

function busyTicks(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user + nice + system + irq + softirq + steal;
}

/** Of this process and all that descend from it. */
function ownTicks(): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)));
  const own = new Set([process.pid]);
  // A child may stand before its parent.
  for (let before = 0; before < own.size; ) {
    before = own.size;
    for (const { pid, parent } of all) if (own.has(parent)) own.add(pid);
  }
  return all.reduce((sum, { pid, ticks }) => sum + (own.has(pid) ? ticks : 0), 0);
}

function statOf(pid: number): { pid: number; parent: number; ticks: number }[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // With those that have ended and that it has waited for.
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0);
    return [{ pid, parent: Number(fields[1]), ticks }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
