#!/bin/sh
# What a verified token costs, beside the same check with pgcrypto in
# PL/pgSQL: microseconds a call, median of 7 interleaved rounds, on a
# throw-away server; for tokens never seen before, and for one that comes
# again.  Fails if the gain for the latter is less than eightfold, or that of
# the companion jwt_auth_pgjwt over functions like pgjwt's own.

set -eu
cd "$(dirname "$0")/.."

[ -n "${JWT_AUTH_TMP:-}" ] || exec scripts/with_server.sh bench/verify_vs_pgcrypto.sh
psql -XqAt -v ON_ERROR_STOP=1 -f bench/verify_vs_pgcrypto.sql >"$JWT_AUTH_TMP/bench.out"
cat "$JWT_AUTH_TMP/bench.out"
[ "$(tail -n 2 "$JWT_AUTH_TMP/bench.out" | grep -c ': yes$')" = 2 ]
