#!/bin/sh
# run.sh [quick] [PART...]: measures, each part on a throw-away server of its
# own, and writes the table: bench/RESULTS.md and bench/chart.svg, or with
# "quick" build/bench/RESULTS.md and build/bench/chart.svg.
#
# A part is a script of this folder:
#	tokens		sign and verify, beside libcrypto, other libraries and pgcrypto
#	wire		the same as clients see it, and a whole transaction
#	rls		policies: scans and planning
#	start		the first verify in a new connection
#	memory		a million verifies in one backend
#	growth		many keys, revocations, sessions
#	refresh_vs_update	a refresh beside an UPDATE, committed
#	stats_cost	statistics on and off
#
# What is compared is measured in turns within one round, and there are seven
# rounds or more: machines drift, so that only ratios within a run count.
# What a part measured stays in build/bench/PART.tsv (round, case,
# nanoseconds), so that one part can be measured again without the others.
# PGJWT_DIR=folder adds pgjwt, if that folder holds its pgjwt--*.sql.

set -eu
cd "$(dirname "$0")/.."

out=build/bench
export QUICK=""
export ROUNDS="${ROUNDS:-7}"
# with_server.sh takes away all that is named PG...
export PEER_PGJWT="${PGJWT_DIR:-}"
if [ "${1:-}" = quick ]
then
	QUICK=1
	shift
fi
[ $# -gt 0 ] || set -- tokens wire rls start memory growth refresh_vs_update stats_cost

mkdir -p $out
if ! [ -x $out/libcjose ]
then
	"${MAKE:-make}" -s bench-programs
fi
failed=""
trap 'exit 143' HUP INT TERM
for part
do
	[ -x "bench/$part.sh" ] || {
		echo "bench: there is no part \"$part\"" >&2
		exit 2
	}
	echo "== $part"
	export RAW="$PWD/$out/$part.new"
	: >"$RAW"
	printf '#\tdate\t%s\n#\tquick\t%s\n#\tload\t%s\n' "$(date -u '+%Y-%m-%d %H:%M UTC')" \
		"$QUICK" "$(cut -d' ' -f1 /proc/loadavg 2>/dev/null)" >"$RAW"
	if scripts/with_server.sh "bench/$part.sh"
	then
		mv "$RAW" "$out/$part.tsv"
		bench/report.pl --text "$part"
	else
		echo "bench: part \"$part\" failed" >&2
		failed="$failed $part"
	fi
done

if [ -n "$QUICK" ]
then
	results=$out
else
	results=bench
fi
bench/report.pl >$out/RESULTS.new
mv $out/RESULTS.new $results/RESULTS.md
bench/chart.sh $results/chart.svg
echo "written: $results/RESULTS.md, $results/chart.svg"
[ -z "$failed" ]
