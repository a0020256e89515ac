#!/bin/sh
# Runs every test and sums up.  The last line is "N passed, N failed", with
# ", N skipped" where some are.  Fails if a test failed, and also if a stage
# did not run: nothing tested is not a success.

set -u
cd "$(dirname "$0")/.." || exit

# Logs and outputs stay in $RESULTS.  Each stage appends a line
# "NAME PASSED FAILED SKIPPED" to $RESULTS/counts.  One line with the versions
# and the sums goes to $RESULTS/summary, for those who test several versions.
export RESULTS="$PWD/build/test"
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
: >"$RESULTS/counts"

began=$(date +%s)
scripts/test_unit.sh &
scripts/with_server.sh scripts/test_server.sh
wait

for stage in unit faults regress isolation tap
do
	grep -q "^$stage " "$RESULTS/counts" || echo "$stage 0 1 0" >>"$RESULTS/counts"
done

scripts/keep_proof.sh "$RESULTS"/unit.log "$RESULTS"/tap.log

# What failed once more, at the end, where a long log is read first.
for log in "$RESULTS"/*.log
do
	[ "$log" != "$RESULTS/tap.log" ] || continue
	awk '
		/^t\/.*\.pl \.+ *$/ { file = $1 ": " }
		/^t\/.*\(Wstat: / { file = $1 ": " }
		/^not ok / && !/# TODO/ || /^  Parse errors: / || /\.\.\. (FAILED|failed)/ { print "failed: " file $0 }
	' "$log"
done

awk '
	{
		passed += $2; failed += $3; skipped += $4
		printf "%-10s %5d passed %5d failed%s\n", $1 ":", $2, $3,
			$4 ? sprintf(" %5d skipped", $4) : ""
		if ($2 + $3 + $4 == 0 && $1 != "isolation") {
			print "           did not run"
			failed++
		}
	}
	END {
		printf "%d passed, %d failed", passed, failed
		print skipped ? ", " skipped " skipped" : ""
		exit failed > 0
	}
' "$RESULTS/counts" >"$RESULTS/sum"
status=$?

server=$("${PG_CONFIG:-$(scripts/find_pg_config.sh)}" --version)
openssl=$(printf '#include <openssl/opensslv.h>\nOPENSSL_VERSION_STR\n' |
	"${CC:-cc}" -E - | tail -n 1 | tr -d '" ')
echo "${server%% (*}, OpenSSL $openssl: $(tail -n 1 "$RESULTS/sum")" \
	"in $(($(date +%s) - began)) s" >"$RESULTS/summary"
cat "$RESULTS/sum"
exit $status
