#!/bin/sh
# What is cancelling late requests worth? Three runs of one trace, side by side.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$blksim" replay --device sim:slow --deadline 5ms --baseline \
	--driver nvme --driver nvme,callback=off "$here/../traces/samples/oltp-mix.blk.gz"
