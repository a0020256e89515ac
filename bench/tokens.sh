#!/bin/sh
# Sign, verify a new token, verify one seen before: five algorithms, beside
# libcrypto alone, libjwt, libcjose, jose, jsonwebtoken, fast-jwt, pgcrypto
# and pgjwt.  Processor time, and what runs in a backend is net of the loop
# around it.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh tokens
. bench/lib.sh

algs="HS256 RS256 PS256 ES256 EdDSA"
programs=$PWD/build/bench
work=$JWT_AUTH_TMP/tokens
mkdir "$work"

printf '0123456789abcdef0123456789abcdef' >"$work/HS256.key"
for alg in RS256 PS256
do
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 >"$work/$alg.key"
done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 >"$work/ES256.key"
openssl genpkey -algorithm Ed25519 >"$work/EdDSA.key"
cp "$work/HS256.key" "$work/HS256.pub"
for alg in RS256 PS256 ES256 EdDSA
do
	openssl pkey -in "$work/$alg.key" -pubout >"$work/$alg.pub"
done

# Hundreds of tokens in turn never meet a cache of 16.
restart_server 'jwt_auth.cache_size = 16' 'shared_buffers = 512MB'
sql -v library="$programs/reference.so" -f bench/sql/tokens.sql
if [ -n "$PEER_PGJWT" ]
then
	bench/pgjwt.sh | sql
	record '#' pgjwt measured
else
	record '#' pgjwt "left out: PGJWT_DIR is not set"
fi
for alg in $algs
do
	sql -v alg="$alg" -v key="$(cat "$work/$alg.key")" \
		-v rows="$(case $alg in HS256) echo 1000 ;; *) echo 200 ;; esac)" -f bench/sql/tokens_alg.sql
	sql -c "SELECT token FROM work_$alg" >"$work/$alg.tokens"
	sql -c "SELECT jwk FROM keys WHERE alg = '$alg'" >"$work/$alg.jwk"
done
sql -c "SELECT claims || jsonb_build_object('iat', floor(extract(epoch FROM now())), 'exp', floor(extract(epoch FROM now())) + 86400, 'jti', 'Nn5Eb6FUTGmtkRSZtcrcFg') FROM claims LIMIT 1" >"$work/claims.json"
sql -c 'VACUUM ANALYZE'
sql -c "SELECT format(E'#\ttoken_bytes\t%s', length(token)) FROM work_HS256 LIMIT 1" >>"$RAW"

node=""
if node_path=$(scripts/npm_packages.sh bench/peers/package.json)
then
	node=yes
	for package in jose jsonwebtoken fast-jwt
	do
		record '#' "$package" "$(NODE_PATH=$node_path node -p "require('$package/package.json').version" 2>/dev/null ||
			sed -n 's/.*"'$package'": *"\([0-9.]*\)".*/\1/p' bench/peers/package.json)"
	done
	record '#' node "$(node --version)"
else
	record '#' node "left out: node, npm or their packages are not to be had"
fi

milliseconds=$(if_quick 10 50)
for round in $(rounds)
do
	for program in floor libjwt libcjose
	do
		record_run "$round" "$programs/$program" "$work" "$milliseconds" $algs
	done
	for alg in $algs
	do
		record_run "$round" sql -v alg="$alg" -v key="$(cat "$work/$alg.key")" \
			-v pgjwt="${PEER_PGJWT:+yes}" -f bench/sql/tokens_round.sql
	done
	[ -z "$node" ] ||
		record_run "$round" env NODE_PATH="$node_path" node bench/peers/node.mjs "$work" "$milliseconds" $algs
done
