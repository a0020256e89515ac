#!/bin/sh
# keep_proof.sh LOG...: what tests say that they proved, and how much of it,
# lines "proof NAME: ..." of their logs, goes to build/proof/NAME.

cd "$(dirname "$0")/.." || exit
mkdir -p build/proof
cat "$@" 2>/dev/null | sed -n 's/^\(# \)\{0,1\}proof //p' |
	awk -F: '{ print > ("build/proof/" $1) }'
