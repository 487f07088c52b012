#!/bin/sh
# 3,600 reads a second, one at a time, on a device that can do a few more: in a closed loop every
# read looks fine, because the loop waits with it. In an open loop the wait of those that come meanwhile counts.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$blksim" run --device=sim:slow --rw=randread --iodepth=1 --runtime=2s
"$blksim" run --device=sim:slow --rw=randread --rate_iops=3600 --rate_process=poisson --iodepth=1 --runtime=2s
