#!/bin/sh
# fuzz.sh TARGET...: runs fuzz targets that were built, as many at once as
# there are processors, so that all of it takes FUZZ_SECONDS.
#
# What libFuzzer finds new stays in build/fuzz/corpus and is where the next run
# starts; an input that fails stays in build/fuzz/failed.  The sum goes to
# build/proof/fuzz.  Fails if a target failed.

set -u
cd "$(dirname "$0")/.." || exit

seconds=${FUZZ_SECONDS:-120}
lanes=$(nproc)
[ "$lanes" -le $# ] || lanes=$#
each=$((seconds / (($# + lanes - 1) / lanes)))
[ $each -gt 0 ] || each=1

out=build/fuzz
mkdir -p $out/failed $out/log build/proof

# run TARGET: its output into a log, whose last line is its status
run()
{
	name=$1
	mkdir -p $out/corpus/"$name"
	set -- -max_total_time=$each -timeout=20 -rss_limit_mb=2048 -max_len=8192 \
		-print_final_stats=1 -artifact_prefix=$out/failed/"$name"-
	[ ! -e test/fuzz/"$name".dict ] || set -- "$@" -dict=test/fuzz/"$name".dict
	UBSAN_OPTIONS=print_stacktrace=1 \
		$out/"$name" "$@" $out/corpus/"$name" test/fuzz/corpus/"$name" \
		>$out/log/"$name" 2>&1 </dev/null
	echo "status $?" >>$out/log/"$name"
}

lane=0
while [ $lane -lt "$lanes" ]
do
	(
		turn=0
		for name
		do
			[ $((turn % lanes)) -ne $lane ] || run "$name"
			turn=$((turn + 1))
		done
	) &
	lane=$((lane + 1))
done
wait

total=0 failed=0
for name
do
	log=$out/log/$name
	count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	total=$((total + ${count:-0}))
	if grep -q '^status 0$' "$log" && [ "${count:-0}" -gt 0 ]
	then
		printf '%-10s %10d executions\n' "$name" "$count"
	else
		failed=$((failed + 1))
		tail -n 60 "$log"
		echo "$name: failed; its input is in $out/failed, its output in $log" >&2
	fi
done
echo "fuzz: $# targets, $total executions, $failed failed" | tee build/proof/fuzz
[ $failed -eq 0 ]
