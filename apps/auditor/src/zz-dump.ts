import { Redis } from 'ioredis';
import { inspectCommit } from '@leasehold/protocol';
import { hashOf } from '@leasehold/kernel';
import { writeFileSync } from 'node:fs';
const r = new Redis('redis://127.0.0.1:7777');
const keys = (await r.keys('*:log:main'));
const out: Record<string, unknown> = {};
const inc = Math.max(...keys.map((k) => Number(/\{[^.]*\.(\d+)\./.exec(k)![1])));
for (const k of keys) { const m = /\{[^.]*\.(\d+)\.[^}]*\}:(\d+):/.exec(k)!; if (Number(m[1]) !== inc) continue;
  for (const [id, f] of await r.xrangeBuffer(k, '-', '+')) { const b = f[f.length - 1]!; const t = String(f[9]); const c = inspectCommit(b); out[`${t.padStart(4, '0')}/${m[2]}`] = { h: hashOf(b), n: c.rowCount, a: c.arrivals, d: c.departures }; } }
writeFileSync(process.argv[2]!, JSON.stringify(out)); console.log(inc, Object.keys(out).length); r.disconnect();
