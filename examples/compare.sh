#!/bin/sh
# Is the second slower, and is it chance? Exit code 99 says that a threshold is breached.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$blksim" run --rw=randrw --iodepth=32 --runtime=300ms --output-format=json --output=before.json
"$blksim" run --rw=randrw --iodepth=48 --runtime=300ms --output-format=json --output=after.json
code=0
"$blksim" diff --threshold 'p(90)<+5%' before.json after.json || code=$?
[ "$code" = 99 ]
