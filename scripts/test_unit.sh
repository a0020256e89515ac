#!/bin/sh
# The tests of src/core that need no server: the unit tests, and what happens
# when libcrypto fails.  Called by test.sh.

set -u
cd "$(dirname "$0")/.." || exit

echo "== unit"
log=$RESULTS/unit.log
build/unit/unit >"$log" 2>&1 </dev/null
status=$?

# The program's own last line is "N passed, N failed".
set -- $(tail -n 1 "$log" |
	sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)\{0,1\}$/\1 \2 \4/p')
passed=${1:-0} failed=${2:-0} skipped=${3:-0}
[ $status -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$failed" -eq 0 ] || sed '$s/^[0-9]* passed, /unit: &/' "$log"
echo "unit $passed $failed $skipped" >>"$RESULTS/counts"

# Some failures of many; "make faults" tries them all.
echo "== faults"
log=$RESULTS/faults.log
"${MAKE:-make}" -s build/fault/fault >"$log" 2>&1 && build/fault/fault >>"$log" 2>&1 </dev/null
status=$?
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^not ok ' "$log")
[ $status -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$failed" -eq 0 ] || grep -v '^ok ' "$log"
echo "faults $passed $failed 0" >>"$RESULTS/counts"
