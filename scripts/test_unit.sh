#!/bin/sh
# The unit tests of src/core: no server.  Called by test.sh.

set -u
cd "$(dirname "$0")/.." || exit
log=$RESULTS/unit.log

echo "== unit"
build/unit/unit >"$log" 2>&1 </dev/null
status=$?

# The program's own last line is "N passed, N failed".
set -- $(tail -n 1 "$log" |
	sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)\{0,1\}$/\1 \2 \4/p')
passed=${1:-0} failed=${2:-0} skipped=${3:-0}
[ $status -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$failed" -eq 0 ] || sed '$s/^[0-9]* passed, /unit: &/' "$log"
echo "unit $passed $failed $skipped" >>"$RESULTS/counts"
