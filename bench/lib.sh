# Shared by the parts; see run.sh.  Sourced, in the root of the project.

# record ROUND CASE NANOSECONDS; what is about the run has round "#"
record()
{
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$RAW"
}

# record_run ROUND COMMAND...: the same from its lines "CASE NANOSECONDS"
record_run()
{
	round=$1
	shift
	"$@" >"$JWT_AUTH_TMP/lines"
	awk -v round="$round" -v OFS='\t' 'NF == 2 { print round, $1, $2 }' "$JWT_AUTH_TMP/lines" >>"$RAW"
}

# if_quick A B: A in a quick run, else B
if_quick()
{
	if [ -n "$QUICK" ]
	then
		echo "$1"
	else
		echo "$2"
	fi
}

export PGOPTIONS="-c bench.turns=$(if_quick 2 5)"

# sql [ARGUMENT...]: a psql that stops at errors, with answers alone
sql()
{
	psql -XqAt -F ' ' -v ON_ERROR_STOP=1 "$@"
}

rounds()
{
	seq 1 "$ROUNDS"
}

as_server_user()
{
	if [ "$(id -u)" = 0 ]
	then
		runuser -u "$JWT_AUTH_USER" -- "$@"
	else
		"$@"
	fi
}

# restart_server [SETTING=VALUE...]: with these settings, until the next call
restart_server()
{
	: >"$JWT_AUTH_TMP/bench.conf"
	for setting
	do
		echo "$setting" >>"$JWT_AUTH_TMP/bench.conf"
	done
	chmod 644 "$JWT_AUTH_TMP/bench.conf"
	grep -q bench.conf "$JWT_AUTH_TMP/data/postgresql.conf" ||
		echo "include '$JWT_AUTH_TMP/bench.conf'" >>"$JWT_AUTH_TMP/data/postgresql.conf"
	(
		cd "$JWT_AUTH_TMP"
		as_server_user pg_ctl -D "$JWT_AUTH_TMP/data" -l "$JWT_AUTH_TMP/server.log" \
			-w -t 60 -m fast restart >/dev/null 2>&1 </dev/null
	)
}

# pgbench_ns N ARGUMENT...: nanoseconds a transaction.  By the times that N
# transactions of a client took, of which the lower quartile counts: what
# holds some of them up is what else the machine does.  (pgbench's own time of
# a single transaction is 0 where the answer came before it looked at the
# clock, and the next one's is too long.)
pgbench_ns()
{
	batch=$1
	shift
	rm -f "$JWT_AUTH_TMP"/pgbench.log*
	pgbench -n -M prepared --log --log-prefix="$JWT_AUTH_TMP/pgbench.log" "$@" \
		>"$JWT_AUTH_TMP/pgbench.out" 2>&1 </dev/null || {
		cat "$JWT_AUTH_TMP/pgbench.out" >&2
		return 1
	}
	cat "$JWT_AUTH_TMP"/pgbench.log* |
		awk -v batch="$batch" '{
			at = $5 * 1e6 + $6
			if (ended[$1]++ % batch == 0) {
				if ($1 in last) printf "%.1f\n", (at - last[$1]) / batch
				last[$1] = at
			}
		}' |
		sort -n |
		awk '{ us[NR] = $1 } END { if (NR) printf "%.0f\n", us[int((NR + 3) / 4)] * 1000 }' |
		grep .
}
