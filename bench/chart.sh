#!/bin/sh
# chart.sh FILE.svg: verifying a token, in microseconds, from what the part
# "tokens" measured.

set -eu
cd "$(dirname "$0")/.."
[ -e build/bench/tokens.tsv ] || exit 0

data=build/bench/chart.dat
contenders="openssl jwt_auth libjwt libcjose fast-jwt jsonwebtoken jose pgcrypto"
{
	echo "alg OpenSSL_alone jwt_auth libjwt libcjose fast-jwt jsonwebtoken jose pgcrypto_(PL/pgSQL)"
	for alg in HS256 RS256 PS256 ES256 EdDSA
	do
		printf '%s' "$alg"
		for contender in $contenders
		do
			printf ' %s' "$(bench/report.pl --value "tokens:$alg/verify/$contender")"
		done
		echo
	done
} >$data

gnuplot <<PLOT
set terminal svg size 860,380 font 'sans-serif,13' background '#ffffff'
set output '$1'
set title 'Verify a token not seen before: microseconds, less is better'
set style data histogram
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set boxwidth 0.9
set logscale y
set yrange [0.3:1000]
set ytics ('0.5' 0.5, '1' 1, '2' 2, '5' 5, '10' 10, '20' 20, '50' 50, '100' 100, '200' 200, '500' 500)
set grid y lc rgb '#dddddd'
set border 3 lc rgb '#888888'
set tics nomirror
set key outside right top Left reverse noenhanced
set datafile missing '?'
set linetype 1 lc rgb '#b0b0b0'
set linetype 2 lc rgb '#1f5fb4'
set linetype 3 lc rgb '#e0a030'
set linetype 4 lc rgb '#c0642c'
set linetype 5 lc rgb '#6aa84f'
set linetype 6 lc rgb '#38761d'
set linetype 7 lc rgb '#8e6bbf'
set linetype 8 lc rgb '#7a4a3a'
array title[8] = ['OpenSSL alone', 'jwt_auth', 'libjwt', 'libcjose', 'fast-jwt', 'jsonwebtoken', 'jose', 'pgcrypto']
plot for [i=2:9] '$data' using i:xtic(1) skip 1 title title[i-1]
PLOT
