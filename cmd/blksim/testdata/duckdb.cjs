// Prints what DuckDB finds in a Parquet file of I/Os: node duckdb.cjs HOME/ FILE
const [home, file] = process.argv.slice(2);
const { DuckDBInstance } = require('module').createRequire(home)('@duckdb/node-api');
(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const result = await db.runAndReadAll(`select count(*) as "All",
    count(*) filter (outcome = 'skipped') as Skipped, count(*) filter (outcome = 'aborted') as Aborted,
    count(*) filter (outcome = 'too-late') as TooLate, count(*) filter (outcome = 'completed') as Completed,
    sum(transferred) filter (status = 'ok') as Bytes, max(ended_ns - due_ns) filter (status = 'ok') as Slowest,
    count(*) filter (dispatched_ns is null) as Undispatched,
    count(*) filter (due_ns > submitted_ns or submitted_ns > ended_ns or dispatched_ns < submitted_ns
      or returned_ns < dispatched_ns or ended_ns < returned_ns) as Disorder
    from '${file}'`);
  const row = result.getRowObjectsJson()[0];
  console.log(JSON.stringify(Object.fromEntries(Object.entries(row).map(([k, v]) => [k, Number(v)]))));
})();
