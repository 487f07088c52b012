#!/bin/sh
# Builds the objects that are committed here: build.sh [DIRECTORY]. Debian's clang 14
# gives the same bytes on every machine; another one would not, so without it the
# objects stay as they are.
set -eu
cd "$(dirname "$0")"
to=${1:-.}
for tool in clang-14 llvm-strip-14; do
	command -v $tool >/dev/null || { echo "no $tool: the BPF objects are not rebuilt"; exit 0; }
done
build() {
	from=$1 out=$2
	shift 2
	clang-14 -target bpfel -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter "$@" -ffile-prefix-map="$PWD"=. -c "$from" -o "$to/$out"
	llvm-strip-14 -g "$to/$out"
}
build block.bpf.c block.o -mcpu=v3
build block.bpf.c block_plain.o -mcpu=v2 -DPLAIN_TABLES
build classic.bpf.c classic.o -mcpu=v2 -DPLAIN_TABLES
