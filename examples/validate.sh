#!/bin/sh
# How far is a device profile from the disk that a trace was recorded on? Exit code 99
# says that an error is beyond a threshold: so a profile is kept honest.
set -eu
blksim=${BLKSIM:-blksim}
samples=$(cd "$(dirname "$0")/../traces/samples" && pwd)

"$blksim" compare --device=sim:qlc "$samples/sqlite.blkt"
code=0
"$blksim" compare --device=sim:null --threshold='device.p(50)>-50%' --output-format=json "$samples/sqlite.blkt" || code=$?
[ "$code" = 99 ] # the null device has no latency
