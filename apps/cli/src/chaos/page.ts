/**
 * The report as one page that needs nothing else: a picture of what happened when, what it cost, and
 * which promises held. No scripts; light and dark; readable on a phone.
 */
import type { ChaosFault, ChaosReport, Invariant } from './report.ts';

const WIDTH = 1_000;
const LEFT = 130;
const ROW = 22;
const TOP = 26;
const PLOT = 120;
/** More rows than this are no picture any more. */
const ROWS_MAX = 40;
/** A fault without an end of its own is drawn this wide. */
const BAR_MIN = 3;

export function chaosPage(report: ChaosReport): string {
  const title = `${report.world}: ${report.verdict}`;
  const isPassed = report.verdict === 'passed';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(report.world)} <span class="${isPassed ? 'held' : 'broken'}">${report.verdict}</span></h1>
<p>${escaped(subtitle(report))}</p>
${isPassed ? '' : `<ul class="reasons">${report.reasons.map((why) => `<li>${escaped(why)}</li>`).join('')}</ul>`}
<h2>What happened</h2>
<div class="wide">${timeline(report)}</div>
<p class="legend">${legend(report)}</p>
<h2>Promises</h2>
${promises(report.invariants)}
<h2>What each fault cost</h2>
${costs(report)}
<h2>Faults</h2>
${faults(report.faults)}
</main>
</body>
</html>
`;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);

function subtitle({
  ticks,
  seconds,
  mode,
  pods,
  gateways,
  seed,
  throughput,
  clients,
}: ChaosReport) {
  const watching = clients === null ? '' : `, ${clients.clients} clients watching`;
  return (
    `${ticks} ticks in ${seconds} s, ${mode}, ${pods} pods, ${gateways} gateways${watching}, ` +
    `seed ${seed}; ${throughput.commitsPerS} commits/s`
  );
}

type Scale = { readonly lastS: number; x(atS: number): number };

function scaleOf({ seconds, faults: some, progress }: ChaosReport): Scale {
  const ends = [...some.map(({ endS }) => endS), ...progress.map(({ atS }) => atS)];
  const lastS = ends.reduce((most, atS) => Math.max(most, atS), Math.max(1, seconds));
  const x = (atS: number): number =>
    Math.round((LEFT + (Math.max(0, atS) / lastS) * (WIDTH - LEFT - 10)) * 10) / 10;
  return { lastS, x };
}

/** Everybody that something befell, and everybody who took over, as they came. */
function rowsOf({ faults: some, takeovers }: ChaosReport): string[] {
  const names = new Set<string>();
  for (const { target } of some) names.add(target);
  for (const { pod } of takeovers) names.add(pod);
  const rank = (name: string): number =>
    ['redis', 'authority', 'gateway', 'all'].findIndex((kind) => name.startsWith(kind)) + 1 || 5;
  const inOrder = [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return inOrder.slice(0, ROWS_MAX);
}

function timeline(report: ChaosReport): string {
  const scale = scaleOf(report);
  const rows = rowsOf(report);
  const plotTop = TOP + rows.length * ROW + 14;
  const height = plotTop + PLOT + 28;
  const label = `Timeline of ${report.faults.length} faults over ${scale.lastS} seconds`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">`,
    ...axis(scale, height),
    ...rows.flatMap((name, i) => rowMarks(name, TOP + i * ROW, report, scale)),
    ...standstillMarks(report, scale, plotTop),
    progressLine(report, scale, plotTop),
    '</svg>',
  ].join('\n');
}

function axis({ lastS, x }: Scale, height: number): string[] {
  const stepS = [1, 2, 5, 10, 30, 60, 300, 600, 3_600].find((s) => lastS / s <= 12) ?? 7_200;
  const lines: string[] = [];
  for (let atS = 0; atS <= lastS; atS += stepS) {
    lines.push(
      `<line class="grid" x1="${x(atS)}" y1="${TOP - 6}" x2="${x(atS)}" y2="${height - 20}"/>`,
    );
    lines.push(`<text class="at" x="${x(atS)}" y="${height - 6}">${atS} s</text>`);
  }
  return lines;
}

function rowMarks(name: string, y: number, report: ChaosReport, { x }: Scale): string[] {
  const parts = [
    `<line class="row" x1="${LEFT}" y1="${y + ROW / 2}" x2="${WIDTH - 10}" y2="${y + ROW / 2}"/>`,
    `<text class="name" x="${LEFT - 8}" y="${y + ROW / 2 + 4}">${escaped(name)}</text>`,
  ];
  for (const fault of report.faults.filter(({ target }) => target === name)) {
    const width = Math.max(BAR_MIN, x(fault.endS) - x(fault.beginS));
    parts.push(
      `<rect class="f ${fault.kind}" x="${x(fault.beginS)}" y="${y + 4}" width="${width.toFixed(1)}" ` +
        `height="${ROW - 8}" rx="2"><title>${escaped(faultText(fault))}</title></rect>`,
    );
  }
  for (const taken of report.takeovers) {
    const said = `${taken.pod} took ${taken.cells} cells of ${taken.from} after ${taken.gapMs} ms`;
    const at = x(taken.atS);
    if (taken.from === name) {
      const since = x(taken.atS - taken.gapMs / 1000);
      parts.push(
        `<line class="gap" x1="${since}" y1="${y + ROW - 3}" x2="${at}" y2="${y + ROW - 3}"/>`,
      );
    }
    if (taken.pod !== name) continue;
    parts.push(
      `<circle class="taken" cx="${at}" cy="${y + ROW / 2}" r="3.5"><title>${escaped(said)}</title></circle>`,
    );
  }
  return parts;
}

function standstillMarks({ standstills }: ChaosReport, { x }: Scale, top: number): string[] {
  return standstills.map(({ fromS, toS }) => {
    const width = Math.max(1, x(toS) - x(fromS));
    const said = `clients were shown nothing new for ${Math.round((toS - fromS) * 1000)} ms`;
    return (
      `<rect class="still" x="${x(fromS)}" y="${top}" width="${width.toFixed(1)}" height="${PLOT}">` +
      `<title>${said}</title></rect>`
    );
  });
}

function progressLine({ progress, ticks }: ChaosReport, { x }: Scale, top: number): string {
  const most = progress.reduce((high, { tick }) => Math.max(high, tick), Math.max(1, ticks));
  const y = (tick: number): string => (top + PLOT - (tick / most) * (PLOT - 12)).toFixed(1);
  const points = progress.map(({ atS, tick }) => `${x(atS)},${y(tick)}`).join(' ');
  return (
    `<text class="name" x="${LEFT - 8}" y="${top + 12}">tick ${most}</text>` +
    `<text class="name" x="${LEFT - 8}" y="${top + PLOT}">0</text>` +
    `<polyline class="ticks" points="${points}"/>`
  );
}

function legend({ faults: some }: ChaosReport): string {
  const kinds = [...new Set(some.map(({ kind }) => kind))];
  const entry = (style: string, text: string): string =>
    `<span><i class="${style}"></i>${text}</span>`;
  return [
    ...kinds.map((kind) => entry(`f ${kind}`, kind)),
    entry('taken', 'took cells over'),
    entry('gap', 'cells without a holder'),
    entry('still', 'clients saw nothing new'),
  ].join(' ');
}

const MARKS: Readonly<Record<Invariant['verdict'], string>> = {
  held: '✓ held',
  broken: '✗ broken',
  'not checked': 'not checked',
};

function promises(invariants: readonly Invariant[]): string {
  const rows = invariants.map(
    ({ id, promise, verdict, evidence }) =>
      `<tr><th scope="row">${id}</th><td class="${verdict === 'not checked' ? 'unknown' : verdict}">` +
      `${MARKS[verdict]}</td><td>${escaped(promise)}<br><small>${escaped(evidence)}</small></td></tr>`,
  );
  return `<table><thead><tr><th>id</th><th>verdict</th><th>promise, evidence</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function costs({ gaps, faults: some }: ChaosReport): string {
  const rows = Object.entries(gaps).map(([kind, { ms, ticks, standstillMs }]) => {
    const count = some.filter((fault) => fault.kind === kind).length;
    const cells = [count, ms.p50, ms.p99, ms.max, ticks.p50, ticks.p99, ticks.max, standstillMs];
    return `<tr><th scope="row">${kind}</th>${cells.map((value) => `<td class="n">${value}</td>`).join('')}</tr>`;
  });
  const head = [
    'fault',
    'times',
    'gap p50',
    'p99',
    'max ms',
    'ticks p50',
    'p99',
    'max',
    'standstill ms',
  ];
  return `<div class="wide"><table><thead><tr>${head.map((text) => `<th>${text}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function faults(some: readonly ChaosFault[]): string {
  return `<ol>${some.map((fault) => `<li>${escaped(faultText(fault))}</li>`).join('')}</ol>`;
}

function faultText({ kind, target, beginS, endS, beginTick, what, takenCells, gaps }: ChaosFault) {
  const cost =
    takenCells === 0 ? '' : `; ${takenCells} cells taken over, gap ${gaps.ms.max} ms at most`;
  return `${beginS} to ${endS} s, tick ${beginTick}: ${kind}, ${target}: ${what}${cost}`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--dim:#667182;--line:#d9dee6;--back:#fff;--held:#137a3f;--broken:#b3261e;
--kill:#c62828;--stop:#6a4bc4;--partition:#c77700;--redis:#00796b;--slow:#9aa800;--rolling:#1976d2;--gateway:#ad1457;--authority:#5d4037;--still:#c6282822}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--dim:#98a3b3;--line:#2c3543;--back:#12161d;--held:#5fd38d;--broken:#ff8a80;
--kill:#ff6b6b;--stop:#b39dff;--partition:#ffb74d;--redis:#4dd0c1;--slow:#d4e157;--rolling:#64b5f6;--gateway:#f48fb1;--authority:#bcaaa4;--still:#ff6b6b2e}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}
.held{color:var(--held)}.broken{color:var(--broken)}.unknown,small{color:var(--dim)}
.wide{overflow-x:auto}svg{display:block;min-width:640px;width:100%;height:auto}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}
thead th{color:var(--dim);font-weight:500;font-size:.85rem}.n{font-variant-numeric:tabular-nums}
ol{padding-left:1.6rem}li{margin:.2rem 0;overflow-wrap:anywhere}.reasons{color:var(--broken)}
text{fill:var(--dim);font:11px system-ui,sans-serif}.name{text-anchor:end}.at{text-anchor:middle}
.grid,.row{stroke:var(--line);stroke-width:1}.grid{stroke-dasharray:2 4}
.ticks{fill:none;stroke:var(--rolling);stroke-width:2}.taken{fill:var(--held);background:var(--held)}
.gap{stroke:var(--broken);stroke-width:2;background:var(--broken)}.still{fill:var(--still);background:var(--still)}
.kill{fill:var(--kill);background:var(--kill)}.stop{fill:var(--stop);background:var(--stop)}
.partition{fill:var(--partition);background:var(--partition)}.slow{fill:var(--slow);background:var(--slow)}
.redis-restart,.failover{fill:var(--redis);background:var(--redis)}.failover{opacity:.7}
.rolling{fill:var(--rolling);background:var(--rolling)}.gateway{fill:var(--gateway);background:var(--gateway)}
.authority{fill:var(--authority);background:var(--authority)}
.legend{color:var(--dim);font-size:.85rem}.legend span{display:inline-block;margin-right:1rem}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.35rem;vertical-align:-1px}
.legend i.gap{height:2px;vertical-align:4px}
`;
