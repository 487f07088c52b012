#!/bin/sh
# Data is checked although a third of the requests are cancelled on their way.
set -eu
blksim=${BLKSIM:-blksim}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$blksim" run --rw=randrw --size=16m --verify=crc32c --iodepth=16 --cancel=random:0.3:100us
