#!/bin/sh
# count.sh [--record]: counts instructions of the core's operations, in our
# own code alone, and fails if one takes over 5 % more than recorded.txt says,
# calls libcrypto over 5 % more often, or makes it fetch algorithms more often.
# --record writes recorded.txt.
#
# Instructions repeat where seconds do not.  libcrypto's and libc's are left
# out, because they depend on the processor and change with each security
# update; what we make them do is counted as calls, those that fetch an
# algorithm on their own, because they are the dear ones.
#
# Another compiler makes other code: counts are compared with those of the
# same compiler and machine only.

set -eu
cd "$(dirname "$0")/../.."
recorded=bench/instructions/recorded.txt
out=build/bench/instructions
made_by="$(${CC:-cc} -dumpmachine) $(${CC:-cc} -v 2>&1 | sed -n 's/^\([a-z]*\) version \([0-9]*\)\..*/\1 \2/p')"

rm -rf $out
mkdir -p $out build/proof
${CC:-cc} -std=c99 -g -O2 -Wall -Wextra -Isrc/core -o $out/count \
	bench/instructions/count.c src/core/*.c -lcrypto -Wl,-z,now
valgrind -q --tool=callgrind --collect-atstart=no --compress-strings=no --compress-pos=no \
	--callgrind-out-file=$out/callgrind $out/count >$out/log 2>&1 || {
	cat $out/log >&2
	exit 1
}
bench/instructions/sum.pl $out/count $out/callgrind.[0-9]* >$out/counted

if [ "${1:-}" = --record ]
then
	{
		echo "# Instructions of our own code, calls of libcrypto, and fetches among all calls,"
		echo "# an operation.  Written by make bench-record; compared by make bench-check."
		echo "# $made_by"
		cat $out/counted
	} >$recorded
	cat $recorded
	exit 0
fi

if ! grep -qxF "# $made_by" $recorded
then
	echo "bench-check: not compared, counts are on record for another compiler: $(sed -n 3p $recorded)" |
		tee build/proof/bench-check
	exit 0
fi
awk -F '\t' '
	/^#/ { next }
	FNR == NR { instructions[$1] = $2; calls[$1] = $3; fetches[$1] = $4; next }
	{ seen[$1] = 1; operations++ }
	!($1 in instructions) {
		print "bench-check: " $1 " is not on record: make bench-record"
		failed++
		next
	}
	$2 > instructions[$1] * 1.05 {
		printf "bench-check: %s takes %d instructions, %d on record (%+.1f %%)\n", $1, $2, instructions[$1], ($2 / instructions[$1] - 1) * 100
		failed++
	}
	$3 > calls[$1] * 1.05 {
		print "bench-check: " $1 " calls libcrypto " $3 " times, " calls[$1] " on record"
		failed++
	}
	$4 > fetches[$1] {
		print "bench-check: " $1 " makes libcrypto fetch algorithms " $4 " times, " fetches[$1] " on record"
		failed++
	}
	$2 < instructions[$1] * 0.95 {
		printf "bench-check: %s takes %.1f %% fewer instructions: make bench-record keeps that\n", $1, (1 - $2 / instructions[$1]) * 100
	}
	END {
		for (name in instructions)
			if (!(name in seen)) {
				print "bench-check: " name " is on record and was not counted"
				failed++
			}
		printf "bench-check: %d operations, %d over what is on record\n", operations, failed + 0
		exit failed > 0 || operations == 0
	}
' $recorded $out/counted >$out/compared && status=0 || status=$?
cat $out/compared
tail -n 1 $out/compared >build/proof/bench-check
exit $status
