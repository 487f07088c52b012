// Prints the histograms of a log, by tag: node hdr.cjs HOME/ FILE
const [home, file] = process.argv.slice(2);
const hdr = require('module').createRequire(home)('hdr-histogram-js');
const out = {};
for (const line of require('fs').readFileSync(file, 'utf8').split('\n')) {
  if (!line.startsWith('Tag=')) continue;
  const [tag, , , , text] = line.split(',');
  const h = hdr.decodeFromCompressedBase64(text);
  out[tag.slice(4)] = { Count: h.totalCount, P50: h.getValueAtPercentile(50), P99: h.getValueAtPercentile(99), Max: h.maxValue };
}
console.log(JSON.stringify(out));
