#!/bin/sh
# The first verify in a new connection: the library is loaded, the tables are
# opened, the key is read and parsed.  With and without
# shared_preload_libraries; the time that psql tells.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh start
. bench/lib.sh

restart_server
sql <<'SQL'
SET client_min_messages = error;
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key(alg, alg) FROM unnest('{HS256,RS256,ES256,EdDSA}'::text[]) alg \g /dev/null
SQL
for alg in HS256 RS256 ES256 EdDSA
do
	sql -c "SELECT jwt.sign('{\"sub\": \"42\", \"role\": \"web_user\"}', '$alg', '1 day')" >"$JWT_AUTH_TMP/token.$alg"
done
sql -c 'VACUUM ANALYZE'

# first CASE STATEMENT: of a few connections the fastest, in nanoseconds
first()
{
	for connection in 1 2 3
	do
		sql -c 'SELECT 1' -c '\timing on' -c "$2"
	done | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | sort -n | head -n 1 |
		awk -v round="$round" -v name="$1" -v OFS='\t' '{ printf "%s\t%s\t%.0f\n", round, name, $1 * 1e6 }' >>"$RAW"
}

for round in $(rounds)
do
	for preload in none shared
	do
		case $preload in
			none) restart_server ;;
			shared) restart_server "shared_preload_libraries = 'jwt_auth'" ;;
		esac
		# The first connections fill the shared buffers.
		sql -c "SELECT jwt.verify('$(cat "$JWT_AUTH_TMP/token.HS256")')" >/dev/null
		first "upper/$preload" "SELECT upper('x')"
		for alg in HS256 RS256 ES256 EdDSA
		do
			first "$alg/$preload" "SELECT jwt.verify('$(cat "$JWT_AUTH_TMP/token.$alg")')"
		done
	done
done
