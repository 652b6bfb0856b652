import { createRandom } from '@leasehold/kernel';
import { channelKind, decodeMail, decodeOutbox, decodePost, inspectCommit } from '@leasehold/protocol';
import { NAMES, openLayers, censusOf, sumOf, type LayerName } from './layers-fixture.ts';
const seeds = process.argv.slice(2).map(Number);
for (const seed of seeds) {
  const random = createRandom(seed);
  const world = await openLayers({ mode: 'realtime', until: 300, replicas: 1 });
  world.server.replicaLagMs = 20;
  for (const layer of NAMES) for (let i = 0; i < 2; i++) await world.start(layer, `${layer}-${i}`);
  await world.pass(60);
  const said: string[] = [];
  let n = 0;
  for (let round = 0; round < 12; round++) {
    const names = [...world.pods.keys()];
    const name = names[random.below(names.length)] as string;
    const what = random.below(5);
    said.push(`${['kill','rollback','stall','cut','replies'][what]} ${name}`);
    if (what === 0) { world.kill(name); await world.start(name.split('-')[0] as LayerName, `${name.split('-')[0]}-x${n++}`); }
    else if (what === 1) { const s = world.server.snapshot(); await world.clock.advance(15); world.server.rollback(s); }
    else if (what === 2) world.server.stall(100 + random.below(1500));
    else if (what === 3) { world.server.disconnect(name); await world.pass(random.below(20)); world.server.reconnect(name); }
    else world.server.dropReplies(3);
    await world.pass(10 + random.below(30));
  }
  await world.pass(1200);
  const cells = await world.cells();
  const c = NAMES.map((l) => censusOf(cells.get(l) as never, 0).ids);
  const paid = sumOf(cells.get('reproduction') as never, 'litter', 'paid');
  const coins = sumOf(cells.get('metabolism') as never, 'purse', 'coins');
  const same = c.every((ids) => JSON.stringify(ids) === JSON.stringify(c[0]));
  const twice = c.map((ids) => ids.length - new Set(ids).size);
  console.log(seed, same && paid === coins && twice.every((t) => t === 0) ? 'ok' : 'BAD', c.map((i) => i.length), twice, paid, coins, said.join('; '));
  if (!same) for (let i = 1; i < 3; i++) { const a = new Set(c[0]); const b = new Set(c[i]); console.log(NAMES[i], 'extra', (c[i] as number[]).filter((id) => !a.has(id)).slice(0,5), 'missing', (c[0] as number[]).filter((id) => !b.has(id)).slice(0,5)); }

  for (const layer of NAMES) { const dead = await world.watchers.get(layer).deadLetters(1000); const by = new Map<string, number>(); for (const d of dead) by.set(d.reason + d.event, (by.get(d.reason + d.event) ?? 0) + 1); console.log(layer, JSON.stringify([...by])); }
  const bad = new Set<number>(c.flat().filter((id) => !c.every((ids) => ids.includes(id))));
  for (const layer of NAMES) for (const [cell, rec] of world.server.cells('w', 1, layer)) {
    for (const e of rec.out) { const k = channelKind(e.body); const ls = k === 'mail' ? decodeMail(e.body) : k === 'outbox' ? decodeOutbox(e.body).far : []; for (const l of ls) if (bad.has(l.to) && l.request) console.log('letter in channel', layer, cell, e.seq, 'to', e.to, JSON.stringify(l), 'out seq', rec.outSeq); }
    for (const q of rec.inbox) { const d = decodePost(q.body); if ('letters' in d) for (const l of d.letters) if (bad.has(l.to)) console.log('letter in inbox', layer, cell, JSON.stringify(l)); }
    for (const entry of rec.log) { const i = inspectCommit(entry.body); if ([...i.deaths].some((id) => bad.has(id))) console.log('death', layer, cell, entry.tick); for (const d of i.departures) if (d.ids.some((id: number) => bad.has(id))) console.log('departs', layer, cell, entry.tick, d.to); }
  }
  for (const layer of NAMES) for (const id of bad) console.log(layer, id, 'whereabouts', await world.watchers.get(layer).whereabouts([id]));
  await world.close();
}
process.exit(0);
