#!/bin/sh
# Prints the pg_config to build with: the first candidate whose PGXS and server
# headers are really there (Debian's client packages bring a pg_config, some
# even PGXS, but never the headers).  Prints nothing when there is none, so
# that "make setup" can run before anything is installed.

for candidate in \
	/usr/lib/postgresql/15/bin/pg_config \
	"$(command -v pg_config)" \
	/usr/lib/postgresql/*/bin/pg_config
do
	if [ -x "$candidate" ] && [ -e "$("$candidate" --pgxs 2>/dev/null)" ] &&
		[ -e "$("$candidate" --includedir-server)/postgres.h" ]
	then
		echo "$candidate"
		exit 0
	fi
done
