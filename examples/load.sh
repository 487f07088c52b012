#!/bin/sh
# Loads in the words of fio.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$blksim" run --rw=randread --bs=4k --iodepth=32 --runtime=200ms
"$blksim" run --device=sim:tlc-consumer "$here/mixed.fio"
