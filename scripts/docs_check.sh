#!/bin/sh
# What the documents say, alone: their commands, their monitoring, the tests
# that they name.  "make test" runs the same.  How much was run goes to
# build/proof/docs.

set -eu
cd "$(dirname "$0")/.."

export RESULTS="$PWD/build/docs"
rm -rf "$RESULTS"
mkdir -p "$RESULTS" build/proof
: >"$RESULTS/counts"

files=$(ls t/7[0-9][0-9]_*.pl)
STAGES=tap LANES=$(echo "$files" | wc -l) TAP_FILES=$(echo "$files" | tr '\n' ' ') \
	scripts/with_server.sh scripts/test_server.sh

sed -n 's/^# proof \(docs: \)/\1/p' "$RESULTS/tap.log" | sort -u | tee build/proof/docs
grep -q . build/proof/docs
