#!/bin/sh
# The percentiles of all I/Os of several runs together, exactly.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

for seed in 1 2 3; do
	"$blksim" run --rw=randread --iodepth=8 --runtime=100ms --seed=$seed --output-format=json --output=part$seed.json
done
"$blksim" merge --output-format=normal part1.json part2.json part3.json
