#!/bin/sh
# Charts, a timeline around the slowest request, and every I/O as a table. Give a folder to keep them.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$blksim" replay --device sim:slow --deadline 5ms --report report.html --timeline slowest.pftrace \
	--timeline-window around:slowest --ios ios.parquet --hdr latency.hlog "$here/../traces/samples/oltp-mix.blk.gz"
ls -l report.html slowest.pftrace ios.parquet latency.hlog
if [ $# -gt 0 ]; then cp report.html slowest.pftrace ios.parquet latency.hlog "$1"; fi
