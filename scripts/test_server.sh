#!/bin/sh
# The tests that need a server: pg_regress, isolation, TAP.  Called by test.sh
# through with_server.sh.
#
# They run in a copy of the tree and as the server's user.  TAP tests make
# clusters of their own, which initdb refuses to root, and that user may not
# be able to reach the checkout; with one way for all stages, and for root and
# others alike, there is one way to break.  And results/ and tmp_check/ never
# litter the checkout.
#
# STAGES chooses among them, TAP_FILES among the TAP tests, LANES says how many
# of these run beside each other, and beside the other stages.  With FAIL_FAST
# one stage follows the other, and none a failure.

set -eu
cd "$(dirname "$0")/.."

copy=$JWT_AUTH_TMP/src
bindir=${PATH%%:*}
as_user=""

mkdir "$copy" "$JWT_AUTH_TMP/tmp"
scripts/copy_tree.sh "$copy"
if [ "$(id -u)" = 0 ]
then
	chown -R "$JWT_AUTH_USER" "$copy" "$JWT_AUTH_TMP/tmp"
	as_user="runuser -u $JWT_AUTH_USER --"
fi
cd "$copy"
mv "$bindir/initdb" "$bindir/initdb.real"
cp scripts/initdb_once.sh "$bindir/initdb"

failed=0

# installcheck NAME VARIABLE=...: PGXS's own target with our binaries; the
# variables switch the other stages off.
installcheck()
{
	name=$1
	shift
	echo "== $name"
	log=$RESULTS/$name.log
	status=0
	$as_user env TMPDIR="$JWT_AUTH_TMP/tmp" HOME="$JWT_AUTH_TMP/tmp" \
		PG_TEST_PORT_DIR="$JWT_AUTH_TMP/tmp/ports" \
		"${MAKE:-make}" --no-print-directory installcheck bindir="$bindir" "$@" \
		>"$log" 2>&1 </dev/null || status=$?
}

# count NAME: lines of the two styles of pg_regress (TAP since 16) and of TAP
count()
{
	passed=$(grep -cE '^ok |\.\.\. ok( |$)' "$log") || true
	failed=$(grep -E '^not ok |\.\.\. (FAILED|failed)' "$log" | grep -vc '# TODO') || true
	skipped=$(grep -cE '^ok .*# (SKIP|skip)|^t/.*\.\. skipped: ' "$log") || true
	passed=$((passed - $(grep -cE '^ok .*# (SKIP|skip)' "$log" || true)))
	# Scripts that died before or after their tests count, too.
	failed=$((failed + $(grep -c '^  Parse errors: ' "$log" || true)))
	[ $status -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
	echo "$1 $passed $failed $skipped" >>"$RESULTS/counts"
}

# regress VARIABLE=...
regress()
{
	installcheck regress ISOLATION= TAP_TESTS= "$@"
	count regress
	cp -r results "$RESULTS" 2>/dev/null || true
	if [ "$failed" -gt 0 ]
	then
		cat "$log"
		cat regression.diffs 2>/dev/null || true
	fi
}

# In a hurry one by one, and those that make many RSA keys last.
stage_regress()
{
	[ -n "${FAIL_FAST:-}" ] || {
		regress
		return
	}
	slow="algorithms attacks sealing"
	for test in $(ls sql/*.sql | sed 's/^sql\/\(.*\)\.sql$/\1/' | grep -vwE "$(echo $slow | tr ' ' '|')") $slow
	do
		regress REGRESS="$test"
		[ "$failed" -eq 0 ] || return 0
	done
}

stage_isolation()
{
	if ! ls specs/*.spec >/dev/null 2>&1
	then
		echo "isolation 0 0 0" >>"$RESULTS/counts"
		return
	fi
	installcheck isolation REGRESS= TAP_TESTS=
	count isolation
	cp -r output_iso "$RESULTS" 2>/dev/null || true
	if [ "$failed" -gt 0 ]
	then
		cat "$log"
		cat output_iso/regression.diffs 2>/dev/null || true
	fi
}

# The files that take longest, which are begun first.
long="270_advise 110_races 120_crash 240_expiry 130_standby 150_memory 510_faults
	710_docs 220_big_table 330_login_page 210_paths 610_stats 020_jose"

# next_file: takes the first of the queue
next_file()
{
	(
		flock 9
		head -n 1 "$queue"
		sed -i 1d "$queue"
	) 9>"$queue.lock"
}

# run_lane LANE: file after file; what they say, and how many seconds each took
run_lane()
{
	worst=0
	while file=$(next_file) && [ -n "$file" ]
	do
		began=$(date +%s)
		installcheck "lane.$1" REGRESS= ISOLATION= PROVE_FLAGS=-v PROVE_TESTS="$file"
		echo "$(($(date +%s) - began)) $file" >>"$RESULTS/tap.seconds"
		cat "$log" >>"$RESULTS/tap.$1.log"
		rm "$log"
		# The next file's servers take the place of these.
		[ $status -eq 0 ] || {
			mkdir -p "$RESULTS/tap_log"
			cp -r tmp_check/log/. "$RESULTS/tap_log" 2>/dev/null || true
		}
		[ $status -le $worst ] || worst=$status
		[ $worst -eq 0 ] || [ -z "${FAIL_FAST:-}" ] || break
	done
	echo $worst >"$RESULTS/tap.$1.status"
}

# TAP tests wait for clocks and clusters, so they run in lanes beside each
# other.  Each lane has a copy of the tree, because PGXS keeps the clusters of a
# run in the tree and removes those of the last.
make_lanes()
{
	lanes=${LANES:-$(nproc)}
	[ "$lanes" -gt 1 ] || [ -n "${LANES:-}" ] || lanes=2
	[ "$lanes" -le 4 ] || [ -n "${LANES:-}" ] || lanes=4
	lane=0
	while [ $lane -lt "$lanes" ]
	do
		cp -a "$copy" "$copy.$lane"
		: >"$RESULTS/tap.$lane.log"
		lane=$((lane + 1))
	done
	queue=$JWT_AUTH_TMP/queue
	for name in $long
	do
		ls ${TAP_FILES:-t/*.pl} | grep -F "/$name.pl" || true
	done >"$queue"
	ls ${TAP_FILES:-t/*.pl} | grep -vxF -f "$queue" >>"$queue.rest" || true
	cat "$queue.rest" >>"$queue"
}

stage_tap()
{
	echo "== tap"
	while [ $lane -gt 0 ]
	do
		lane=$((lane - 1))
		(
			cd "$copy.$lane"
			run_lane $lane >/dev/null
		) &
	done
	wait
	log=$RESULTS/tap.log
	cat "$RESULTS"/tap.?.log >"$log"
	status=$(cat "$RESULTS"/tap.?.status | sort -n | tail -n 1)
	count tap
	# A file that is skipped whole: prove shows the reason and not the plan.
	sed -nE -e 's/.*# *[Ss][Kk][Ii][Pp]/skipped:/p' -e 's/^t\/.*\.\. (skipped: )/\1/p' "$log" | sort -u
	if [ "$failed" -gt 0 ]
	then
		# Of each file with a failure, what it said.
		awk '
			function flush() { if (bad) printf "%s", block; block = ""; bad = 0 }
			/^t\/.*\.pl \.+ *$/ { flush() }
			/^ok / { next }
			/^not ok / && !/# TODO/ || /^(Dubious|Bailout|Result: FAIL)/ { bad = 1 }
			{ block = block $0 "\n" }
			END { flush() }
		' "$log"
		echo "the servers' logs are in build/test/tap_log"
	fi
}

# run_stages STAGE...
run_stages()
{
	for stage
	do
		stage_$stage
		[ -z "${FAIL_FAST:-}" ] || [ "$failed" -eq 0 ] || break
	done
}

stages=${STAGES:-regress isolation tap}
case " $stages " in
	*" tap "*) make_lanes ;;
esac
if [ -z "${FAIL_FAST:-}" ] && [ "${stages% tap}" != "$stages" ]
then
	run_stages ${stages% tap} &
	run_stages tap
else
	run_stages $stages
fi

# with_server.sh keeps the server's log of a command that failed.
awk '{ failed += $3 } END { exit failed > 0 }' "$RESULTS/counts"
