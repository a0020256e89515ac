#!/bin/sh
# A million verifies in one backend, every other one failing: what its memory
# contexts and its resident memory grow by, after the first tenth.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh memory
. bench/lib.sh

loops=$(if_quick 100 500)
record '#' many "$(if_quick '200,000' 'a million')"
for round in $(if_quick 1 '1 2 3')
do
	sql -c 'DROP EXTENSION IF EXISTS jwt_auth; DROP SCHEMA IF EXISTS growth CASCADE' 2>/dev/null
	record_run "$round" sql -v loops="$loops" -f bench/sql/memory.sql
done
