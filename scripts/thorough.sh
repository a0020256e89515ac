#!/bin/sh
# thorough.sh t/FILE.pl: one TAP test alone, as thorough as the environment
# tells it to be.  Its output stays in build/thorough/FILE, what it proved in
# build/proof.

set -u
cd "$(dirname "$0")/.." || exit

name=${1##*/}
export RESULTS="$PWD/build/thorough/${name%.pl}"
export STAGES=tap LANES=1 TAP_FILES="$1"
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
: >"$RESULTS/counts"
status=0
scripts/with_server.sh scripts/test_server.sh || status=$?
scripts/keep_proof.sh "$RESULTS/tap.log"
sed -n 's/^# proof //p' "$RESULTS/tap.log"
exit $status
