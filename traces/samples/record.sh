#!/bin/sh
# Records the samples that are of real programs: each on a file system of its own, on a
# loop device that is made here and taken away again. It needs root, or CAP_BPF and
# CAP_PERFMON with the right to mount, and fio, sqlite3, gcc and make.
#
#     BLKSIM=./blksim traces/samples/record.sh [FOLDER]     default: this one
set -eu
blksim=${BLKSIM:-blksim}
to=$(cd "${1:-$(dirname "$0")}" && pwd)
dir=$(mktemp -d)
loop=
cleanup() {
	cd /
	mountpoint -q "$dir/mnt" && umount "$dir/mnt"
	[ -z "$loop" ] || losetup -d "$loop"
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mkdir "$dir/mnt"
truncate -s 1G "$dir/disk"
loop=$(losetup --find --show --direct-io=on "$dir/disk")

# fresh: an empty file system. again: the same one, with nothing of it in memory.
fresh() {
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$loop"
	mount -o noatime "$loop" "$dir/mnt"
}
again() {
	umount "$dir/mnt"
	mount -o noatime "$loop" "$dir/mnt"
}
gone() { umount "$dir/mnt"; }

# record NAME COMMAND...: what it asks of the device until everything is on it.
record() {
	name=$1
	shift
	"$blksim" trace record --device "$loop" --zstd --output "$dir/$name.blkt" -- "$@" >"$dir/$name.log" 2>&1 || {
		cat "$dir/$name.log" >&2
		exit 1
	}
	mv "$dir/$name.blkt" "$to/$name.blkt"
	tail -n 4 "$dir/$name.log"
}

# SQLite: 200 transactions, each on the disk before the next, with its rollback journal.
fresh
awk 'BEGIN {
	srand(1)
	print "pragma journal_mode=delete; pragma synchronous=full; create table t(k integer primary key, n integer, v blob);"
	for (i = 1; i <= 200; i++) {
		print "begin;"
		for (j = 0; j < 5; j++) printf "insert or replace into t values(%d, %d, randomblob(%d));\n", rand() * 4000, i, 200 + rand() * 1500
		printf "update t set n = n + 1 where k between %d and %d;\n", rand() * 2000, 2000
		print "commit;"
	}
}' >"$dir/transactions.sql"
record sqlite sh -c "sqlite3 '$dir/mnt/bank.db' <'$dir/transactions.sql' && sync -f '$dir/mnt'"
gone

# A build: 100 files of C by make, two at a time, from a cold cache.
fresh
awk -v dir="$dir/mnt" 'BEGIN {
	for (i = 0; i < 100; i++) {
		file = dir "/f" i ".c"
		print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>" >file
		for (j = 0; j < 60; j++) printf "double f%d_%d(const char *s, double x)\n{\n\treturn strlen(s) * sin(x * %d) + atof(s);\n}\n", i, j, j >file
		close(file)
	}
	file = dir "/Makefile"
	print "all: $(patsubst %.c,%.o,$(wildcard *.c))\n\tld -r -o all.o f*.o" >file
}'
again
record build sh -c "make -s -j2 -C '$dir/mnt' CFLAGS='-O1 -g -pipe' && sync -f '$dir/mnt'"
gone

# A file server: six clients read, write and append whole files of 4 to 256 KiB.
fresh
fileserver="--directory=$dir/mnt --name=client --numjobs=6 --nrfiles=40 --filesize=4k-256k --openfiles=8 --file_service_type=random
	--ioengine=sync --bsrange=4k-64k --randseed=1 --minimal"
fio $fileserver --rw=write --create_only=1 >/dev/null
fio $fileserver --rw=write --end_fsync=1 >/dev/null
again
record fileserver fio $fileserver --rw=randrw --rwmixread=75 --time_based --runtime=5s --thinktime=2ms --fsync=32 --end_fsync=1
gone

# A database: reads of 8 KiB that come by chance, a log that is synced, and a checkpoint
# of some hundred pages a second, past the page cache.
fresh
database() {
	cat <<-JOBS
		[global]
		directory=$dir/mnt
		direct=1
		ioengine=libaio
		randseed=1
		time_based
		runtime=6s
		[pages]
		filename=pages
		size=512m
		rw=randread
		bs=8k
		iodepth=32
		rate_iops=900
		rate_process=poisson
		random_distribution=zipf:1.1
		[checkpoint]
		filename=pages
		size=512m
		rw=randwrite
		bs=8k
		iodepth=64
		thinktime=1s
		thinktime_blocks=250
		[log]
		filename=log
		size=64m
		rw=write
		bsrange=4k-16k
		fdatasync=1
		rate_iops=120
	JOBS
}
database >"$dir/database.fio"
fio --create_only=1 "$dir/database.fio" >/dev/null
again
record database fio --minimal "$dir/database.fio"
gone
