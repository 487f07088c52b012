// Draws REPORT: what runs did, side by side. Times are nanoseconds until they are shown.
(() => {
'use strict';
const runs = REPORT.runs;
const COLORS = ['#3b78d8', '#e0762f', '#2e9e5b', '#a258c9', '#c2303b', '#26a3b8', '#8a6d3b', '#6b7280'];
const STAGES = [['slip', 'due to submitted'], ['queue', 'in the stack’s queues'], ['device', 'in the device'], ['finish', 'device to event']];
const ENDS = [['skipped_at_dispatch', 'skipped at dispatch', '#e0a030'], ['aborted_in_device', 'aborted in device', '#c2303b'],
  ['too_late', 'too late to cancel', '#8b5fc7'], ['failed', 'failed', '#6b7280']];
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colorOf = i => COLORS[i % COLORS.length];

// --- units -------------------------------------------------------------------
const digits = v => v >= 99.95 ? v.toFixed(0) : Math.abs(v - Math.round(v)) < 1e-9 ? v.toFixed(0) : v >= 9.995 ? v.toFixed(1) : v.toFixed(2);
const scaled = (v, base, units) => { let u = 0; while (v >= base && u < units.length - 1) { v /= base; u++; } return digits(v) + ' ' + units[u]; };
const nanos = ns => ns == null ? '–' : ns < 1000 ? Math.round(ns) + ' ns' : ns < 1e6 ? digits(ns / 1e3) + ' µs' : ns < 1e9 ? digits(ns / 1e6) + ' ms' : digits(ns / 1e9) + ' s';
const bytes = n => scaled(n, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const count = n => Math.round(n).toLocaleString('en-US');
const short = n => n < 1000 ? digits(n) : n < 1e6 ? digits(n / 1e3) + ' k' : digits(n / 1e6) + ' M';

// --- elements ----------------------------------------------------------------
const el = (tag, props, ...kids) => {
  const e = Object.assign(document.createElement(tag), props || {});
  e.append(...kids.filter(k => k != null));
  return e;
};
const page = document.getElementById('page');
page.textContent = '';
const card = (title, about, ...kids) => {
  const head = el('div', { className: 'head' }, el('h2', { textContent: title }), el('p', { textContent: about || '' }));
  const c = el('section', { className: 'card' }, head, ...kids);
  c.head = head;
  return c;
};
const dot = color => { const d = el('span', { className: 'dot' }); d.style.background = color; return d; };
const nameOf = i => el('span', null, runs.length > 1 ? dot(colorOf(i)) : '', runs[i].name);
const key = items => el('div', { className: 'key' }, ...items.map(([text, color]) => el('span', null, dot(color), text)));

// --- head and summary ----------------------------------------------------------
const s0 = runs[0].setup;
page.append(el('h1', { textContent: REPORT.title }),
  el('p', { className: 'sub', textContent: `${REPORT.trace} · ${s0.device}, ${bytes(s0.capacity_bytes)} · ${s0.queues} queue${s0.queues > 1 ? 's' : ''} × depth ${s0.queue_depth} · ${s0.clock} time · seed ${s0.seed}` +
    (s0.deadline_ns ? ` · deadline ${nanos(s0.deadline_ns)}` : '') }));
for (const r of runs) {
  for (const f of r.faults || []) page.append(el('p', { className: 'bad', textContent: `FAULT in ${r.name}: ${f}` }));
  if (r.partial) page.append(el('p', { className: 'bad', textContent: `PARTIAL: ${r.name} ended after ${nanos(r.elapsed_ns)}: ${r.partial}` }));
}
const cancelled = r => r.requests.cancelled.skipped_at_dispatch + r.requests.cancelled.aborted_in_device;
const all = r => r.latency.all || {};
const columns = [
  ['submitted', r => count(r.requests.submitted)], ['completed', r => count(r.requests.completed)],
  ['cancelled', r => count(cancelled(r)), r => runs.some(cancelled)], ['failed', r => count(r.requests.failed), () => runs.some(r => r.requests.failed)],
  ['elapsed', r => nanos(r.elapsed_ns)], ['IOPS', r => count(r.iops)], ['bandwidth', r => bytes(r.bytes_per_second) + '/s'],
  ['p50', r => nanos(all(r).p50)], ['p90', r => nanos(all(r).p90)], ['p99', r => nanos(all(r).p99)], ['p99.9', r => nanos(all(r).p999)], ['max', r => nanos(all(r).max)],
].filter(c => !c[2] || c[2]());
const summary = el('table', null,
  el('tr', null, el('th', { textContent: runs.length > 1 ? 'run' : 'driver' }), ...columns.map(c => el('th', { textContent: c[0] }))),
  ...runs.map((r, i) => el('tr', null, el('td', null, nameOf(i)), ...columns.map(c => el('td', { textContent: c[1](r) })))));
page.append(card('Summary', 'Latencies are of completed requests, from when each was due to its completion.', el('div', { className: 'scroll' }, summary)));

// --- charts ---------------------------------------------------------------------
const plots = [];
// A chart that is as wide as its card, and is made again by make when the width changes.
const chart = (holder, make) => {
  let plot = null;
  const draw = () => {
    const w = holder.clientWidth;
    if (w > 0) { if (plot) plot.destroy(); plot = make(w); }
  };
  plots.push(draw);
  return { draw };
};
const axis = more => Object.assign({ stroke: css('--soft'), grid: { stroke: css('--grid'), width: 1 }, ticks: { stroke: css('--grid'), width: 1 }, font: '12px system-ui, sans-serif' }, more);
const cursor = { sync: { key: 'time' }, points: { size: 6 }, drag: { x: true, y: false } };
const seconds = v => v === 0 ? '0' : v < 1e-3 ? digits(v * 1e6) + ' µs' : v < 1 ? digits(v * 1e3) + ' ms' : digits(v) + ' s';
const timeAxis = () => axis({ values: (u, vs) => vs.map(seconds) });

// Round values between two, more of them where the range is short.
const logSplits = (lo, hi) => {
  const out = [], marks = hi / lo > 1e4 ? [1] : hi / lo > 30 ? [1, 3] : [1, 2, 3, 5, 7];
  for (let e = Math.floor(Math.log10(lo)); 10 ** e <= hi; e++) for (const m of marks) if (m * 10 ** e >= lo && m * 10 ** e <= hi) out.push(m * 10 ** e);
  return out;
};

// The latency distribution: how large a share of requests took how long at the most.
// Shares are drawn by their nines, so that the tail is as wide as the middle.
const nines = p => -Math.log10(1 - p);
const cdf = l => {
  const xs = [], ys = [];
  l.ns.forEach((ns, i) => { xs.push(Math.max(ns, 1)); ys.push(nines(Math.min(l.cum[i] / l.count, 1 - 0.5 / l.count))); });
  return [xs, ys];
};
// Where a distribution begins to be drawn: what the stack answered by itself took no
// time, and would squeeze all else into a corner.
const begin = l => l.ns[l.cum.findIndex(c => c >= l.count / 25)] || 1;
const ops = ['all', 'read', 'write', 'flush', 'discard', 'write-zeroes'].filter(op => runs.some(r => r.latency[op]));
const picker = (choices, chosen, onPick) => {
  const p = el('div', { className: 'pick' });
  choices.forEach(c => p.append(el('button', { type: 'button', textContent: c, className: c === chosen ? 'on' : '', onclick: e => {
    p.querySelectorAll('button').forEach(b => b.classList.toggle('on', b === e.target));
    onPick(c);
  } })));
  return p;
};
if (ops.length) {
  let op = ops.length > 2 ? 'all' : ops[ops.length - 1];
  const holder = el('div');
  const c = card('Latency distribution', 'The share of completed requests that took at most so long; the scale widens the tail.', holder);
  const drawn = chart(holder, width => {
    const parts = runs.map(r => r.latency[op] ? cdf(r.latency[op]) : [[], []]);
    const data = uPlot.join(parts.map(([x, y]) => [x, y]));
    const shown = runs.map(r => r.latency[op]).filter(l => l);
    const lo = Math.max(1, Math.min(...shown.map(begin)) / 1.25), hi = Math.max(lo * 10, Math.max(...shown.map(l => l.max)) * 1.15);
    const top = Math.max(2.2, ...parts.map(p => p[1][p[1].length - 1] || 0));
    const marks = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].filter(p => nines(p) <= top + 0.05);
    const label = p => p === 0 ? '0' : 'p' + +(p * 100).toFixed(4);
    return new uPlot({ width, height: 300, cursor: { points: { size: 6 } },
      scales: { x: { time: false, distr: 3, range: [lo, hi] }, y: { range: [0, top * 1.03] } },
      axes: [axis({ splits: logSplits(lo, hi), filter: (u, s) => s, values: (u, vs) => vs.map(nanos) }),
        axis({ size: 76, splits: marks.map(nines), values: (u, vs) => vs.map(v => label(1 - 10 ** -v)) })],
      series: [{ label: 'latency', value: (u, v) => v == null ? '–' : nanos(v) },
        ...runs.map((r, i) => ({ label: r.name, stroke: colorOf(i), width: 2, spanGaps: true, points: { show: false },
          value: (u, v) => v == null ? '–' : ((1 - 10 ** -v) * 100).toFixed(v > 3 ? 4 : 2) + ' %' }))] },
      data, holder);
  });
  if (ops.length > 1) c.head.append(picker(ops, op, v => { op = v; drawn.draw(); }));
  page.append(c);
}

// Charts over time, of all runs that have a series.
const timed = runs.map((r, i) => ({ r, i, s: r.series })).filter(t => t.s && t.s.reads.length);
const endOfAll = Math.max(0, ...timed.map(t => t.s.reads.length * t.s.interval_ns / 1e9));
const times = s => s.reads.map((_, k) => (k + 0.5) * s.interval_ns / 1e9);
const overTime = (title, about, lines, opt) => {
  const holder = el('div');
  const c = card(title, about, holder);
  chart(holder, width => new uPlot({ width, height: opt.height || 220, cursor,
    scales: { x: { time: false, range: [0, endOfAll] }, y: opt.log ? { distr: 3 } : { range: (u, lo, hi) => [0, opt.top || Math.max(hi * 1.06, opt.least || 1)] } },
    axes: [timeAxis(), axis({ size: 68, values: (u, vs) => vs.map(v => v == null ? '' : opt.axis(v)) })],
    series: [{ label: 'at', value: (u, v) => v == null ? '–' : seconds(v) }, ...lines.map(l => ({ label: l.label, stroke: l.color, fill: l.fill, width: l.width || 1.5,
      dash: l.dash, points: { show: false }, spanGaps: !opt.log, value: (u, v) => v == null ? '–' : opt.value ? opt.value(v) : opt.axis(v) }))] },
    uPlot.join(lines.map(l => [l.xs, l.ys])), holder));
  return c;
};
const tag = (t, what) => runs.length > 1 ? `${t.r.name}${what ? ': ' + what : ''}` : what || t.r.name;
const perSecond = (list, s) => list.map(n => n / (s.interval_ns / 1e9));
if (timed.length) {
  const one = runs.length === 1;
  const throughput = timed.flatMap(t => one
    ? [{ label: 'reads', color: COLORS[0], xs: times(t.s), ys: perSecond(t.s.reads, t.s) }, { label: 'writes', color: COLORS[1], xs: times(t.s), ys: perSecond(t.s.writes, t.s) }]
      .concat(t.s.others.some(n => n) ? [{ label: 'others', color: COLORS[2], xs: times(t.s), ys: perSecond(t.s.others, t.s) }] : [])
    : [{ label: t.r.name, color: colorOf(t.i), xs: times(t.s), ys: perSecond(t.s.reads.map((n, k) => n + t.s.writes[k] + t.s.others[k]), t.s) }]);
  const latency = timed.flatMap(t => [
    ...(one ? [{ label: 'max', color: '#b9c2cf', width: 1, xs: times(t.s), ys: t.s.max_ns.map(v => v || null) }] : []),
    { label: tag(t, 'p99'), color: one ? COLORS[1] : colorOf(t.i), xs: times(t.s), ys: t.s.p99_ns.map(v => v || null) },
    { label: tag(t, 'p50'), color: one ? COLORS[0] : colorOf(t.i), dash: one ? undefined : [4, 4], xs: times(t.s), ys: t.s.p50_ns.map(v => v || null) }]);
  const depth = timed.flatMap(t => [
    { label: tag(t, 'in flight'), color: one ? COLORS[1] : colorOf(t.i), xs: times(t.s), ys: t.s.in_flight },
    { label: tag(t, 'in the device'), color: one ? COLORS[0] : colorOf(t.i), dash: one ? undefined : [4, 4], xs: times(t.s), ys: t.s.in_device }]);
  const busy = timed.map(t => ({ label: tag(t, one ? 'busy' : ''), color: colorOf(t.i), fill: one ? COLORS[0] + '30' : undefined, xs: times(t.s), ys: t.s.busy.map(v => v * 100) }));
  page.append(el('div', { className: 'two' },
    overTime('Throughput', 'Requests completed a second.', throughput, { axis: short, value: v => count(v) + '/s' }),
    overTime('Latency over time', 'By when requests ended.', latency, { axis: nanos, log: true })));
  page.append(el('div', { className: 'two' },
    overTime('Queue depth', 'Mean number of requests in flight, and with the device.', depth, { axis: short }),
    overTime('Device utilisation', 'Share of the time in which the device had a request.', busy, { axis: v => digits(v) + ' %', top: 103 })));
}

// --- cancellations: stacked bars by stage, a chart for each run ------------------
const stacked = t => {
  const kinds = ENDS.filter(([k]) => t.s[k].some(n => n));
  const holder = el('div');
  chart(holder, width => {
    const xs = times(t.s), sums = xs.map(() => 0);
    const layers = kinds.map(([k]) => xs.map((_, i) => (sums[i] += t.s[k][i] / (t.s.interval_ns / 1e9))));
    const bars = uPlot.paths.bars({ size: [1, Infinity], gap: 0 });
    return new uPlot({ width, height: 180, cursor,
      scales: { x: { time: false, range: [0, endOfAll] }, y: { range: (u, lo, hi) => [0, Math.max(hi * 1.06, 1)] } },
      axes: [timeAxis(), axis({ size: 68, values: (u, vs) => vs.map(v => short(v)) })],
      series: [{ label: 'at', value: (u, v) => v == null ? '–' : seconds(v) }, ...kinds.map(([k, text, color], n) => ({ label: text, stroke: color, fill: color, width: 0, paths: bars, points: { show: false },
        value: (u, v, si, di) => di == null ? '–' : count(t.s[k][di] / (t.s.interval_ns / 1e9)) + '/s' })).reverse()] },
    [xs, ...layers.slice().reverse()], holder);
  });
  return holder;
};
const ending = timed.filter(t => ENDS.some(([k]) => t.s[k].some(n => n)));
if (ending.length) {
  const c = card('Cancellations by stage', 'Requests a second that ended so: cancelled before dispatch, aborted in the device, or too late to cancel.');
  ending.forEach(t => c.append(el('div', { className: 'heat' }, runs.length > 1 ? el('h3', null, nameOf(t.i)) : '', stacked(t))));
  page.append(c);
}

// --- heatmap ----------------------------------------------------------------------
const ramp = v => { // a sequential scale from pale to dark, v from 0 to 1
  const stops = [[237, 244, 252], [158, 198, 235], [74, 139, 206], [31, 78, 148], [12, 30, 74]];
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const at = (dark ? 1 - v : v) * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2), f = at - i;
  return `rgb(${stops[i].map((c, k) => Math.round(c + (stops[i + 1][k] - c) * f)).join(',')})`;
};
const heat = (t, lo, hi, most, end) => {
  const canvas = el('canvas'), tip = el('div', { className: 'tip' });
  const box = el('div', { className: 'heat' }, runs.length > 1 ? el('h3', null, nameOf(t.i)) : '', canvas, tip);
  const left = 68, bottom = 24, height = 220, w = t.s.interval_ns;
  const from = t.s.heat_from_ns, upper = b => b + 1 < from.length ? from[b + 1] : from[b] * 1.25;
  const draw = () => {
    const width = canvas.clientWidth, dpr = devicePixelRatio || 1;
    if (!width) return;
    canvas.width = width * dpr; canvas.height = height * dpr; canvas.style.height = height + 'px';
    const g = canvas.getContext('2d');
    g.scale(dpr, dpr);
    g.font = '12px system-ui, sans-serif';
    const X = ns => left + (width - left - 8) * ns / end;
    const Y = ns => 6 + (height - bottom - 6) * (1 - Math.log(Math.max(ns, lo) / lo) / Math.log(hi / lo));
    g.strokeStyle = css('--grid'); g.fillStyle = css('--soft'); g.textAlign = 'right'; g.textBaseline = 'middle';
    for (const ns of logSplits(lo, hi)) {
      g.beginPath(); g.moveTo(left, Y(ns)); g.lineTo(width - 8, Y(ns)); g.stroke();
      g.fillText(nanos(ns), left - 8, Y(ns));
    }
    t.s.heat.forEach((cells, i) => {
      for (let k = 0; k < cells.length; k += 2) {
        const y0 = Y(upper(cells[k])), y1 = Y(from[cells[k]]);
        g.fillStyle = ramp(0.12 + 0.88 * Math.log(1 + cells[k + 1]) / Math.log(1 + most));
        g.fillRect(X(i * w), y0, Math.max(X((i + 1) * w) - X(i * w), 1) + 0.4, Math.max(y1 - y0, 1) + 0.4);
      }
    });
    g.fillStyle = css('--soft'); g.textAlign = 'center'; g.textBaseline = 'top';
    const step = [1, 2, 5].flatMap(m => [...Array(14)].map((_, e) => m * 10 ** (e - 1))).sort((a, b) => a - b).find(v => end / v <= width / 110);
    for (let v = 0; v <= end; v += step) g.fillText(seconds(v / 1e9), Math.min(X(v), width - 24), height - bottom + 7);
    canvas.onmousemove = e => {
      const i = Math.floor((e.offsetX - left) / (width - left - 8) * end / w), ns = lo * Math.pow(hi / lo, 1 - (e.offsetY - 6) / (height - bottom - 6));
      const cells = t.s.heat[i] || [];
      let n = 0, b = -1;
      for (let k = 0; k < cells.length; k += 2) if (ns >= from[cells[k]] && ns < upper(cells[k])) { n = cells[k + 1]; b = cells[k]; }
      tip.style.display = b < 0 ? 'none' : 'block';
      if (b >= 0) tip.textContent = `${seconds(i * w / 1e9)}: ${count(n)} of ${nanos(from[b])} to ${nanos(upper(b))}`;
      tip.style.left = Math.min(e.offsetX + 12, width - 220) + 'px'; tip.style.top = (canvas.offsetTop + e.offsetY + 14) + 'px';
    };
    canvas.onmouseleave = () => { tip.style.display = 'none'; };
  };
  plots.push(draw);
  return box;
};
const hot = timed.filter(t => t.s.heat_from_ns && t.s.heat_from_ns.length);
if (hot.length) {
  let lo = Infinity, hi = 1, most = 1, end = 1;
  hot.forEach(t => t.s.heat.forEach((cells, i) => {
    end = Math.max(end, (i + 1) * t.s.interval_ns);
    for (let k = 0; k < cells.length; k += 2) {
      const f = t.s.heat_from_ns[cells[k]];
      hi = Math.max(hi, f * 1.3, 2); most = Math.max(most, cells[k + 1]);
    }
  }));
  // As in the distribution: the fastest few percent, where they are far off, are left out.
  hot.forEach(t => { if (t.r.latency.all) lo = Math.min(lo, begin(t.r.latency.all) / 1.4); });
  lo = Math.max(Number.isFinite(lo) ? lo : 1, hi / 1e8, 1);
  if (hi / lo < 8) { lo /= 2; hi *= 2; }
  const c = card('Latency heatmap', `Requests by when they ended and how long they took; darker is more, up to ${count(most)} in a cell. All on one scale.`);
  hot.forEach(t => c.append(heat(t, lo, hi, most, end)));
  page.append(c);
}

// --- the slowest --------------------------------------------------------------------
runs.forEach((r, i) => {
  if (!r.slowest || !r.slowest.length) return;
  const longest = r.slowest[0].latency_ns || 1;
  let shown = 15;
  const body = el('tbody');
  const fill = () => body.replaceChildren(...r.slowest.slice(0, shown).map(io => {
    const bar = el('div', { className: 'bar', title: STAGES.map(([k, text]) => `${text}: ${nanos(io[k + '_ns'])}`).join('\n') });
    bar.style.width = Math.max(100 * io.latency_ns / longest, 0.5) + '%';
    STAGES.forEach(([k]) => { const p = el('i'); p.style.width = 100 * io[k + '_ns'] / io.latency_ns + '%'; p.style.background = `var(--${k})`; bar.append(p); });
    return el('tr', null, el('td', { textContent: `${io.op} ${bytes(io.bytes)}${io.too_late ? ', too late' : ''}` }), el('td', { textContent: count(io.offset) }),
      el('td', { textContent: seconds(io.due_ns / 1e9) }), el('td', { textContent: nanos(io.latency_ns) }), el('td', { className: 'wide' }, bar));
  }));
  fill();
  const table = el('table', null, el('thead', null, el('tr', null, ...['request', 'offset', 'due at', 'latency', ''].map(t => el('th', { textContent: t })))), body);
  const more = r.slowest.length > shown ? el('div', { className: 'pick' }, el('button', { type: 'button', textContent: `show ${r.slowest.length}`, onclick: e => { shown = r.slowest.length; fill(); e.target.remove(); } })) : null;
  const c = card('Slowest requests' + (runs.length > 1 ? ': ' + r.name : ''), '', el('div', { className: 'scroll' }, table), more);
  c.head.append(key(STAGES.map(([k, text]) => [text, `var(--${k})`])));
  page.append(c);
});

const notes = runs.flatMap(r => (r.notes || []).map(n => runs.length > 1 ? `${r.name}: ${n}` : n));
if (notes.length) page.append(card('Notes', '', el('ul', { className: 'notes' }, ...[...new Set(notes)].map(n => el('li', { textContent: n })))));
page.append(el('footer', { textContent: 'Made by blksim.' }));

const drawAll = () => plots.forEach(d => d());
drawAll();
let wait = 0;
addEventListener('resize', () => { clearTimeout(wait); wait = setTimeout(drawAll, 100); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
document.documentElement.dataset.ready = 'yes';
})();
