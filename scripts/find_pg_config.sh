#!/bin/sh
# Prints the pg_config to build with: the first candidate whose PGXS is really
# there (a pg_config that came with client packages alone has none).  Prints
# nothing when there is none, so that "make setup" can run before anything is
# installed.

for candidate in \
	/usr/lib/postgresql/15/bin/pg_config \
	"$(command -v pg_config)" \
	/usr/lib/postgresql/*/bin/pg_config
do
	if [ -x "$candidate" ] && [ -e "$("$candidate" --pgxs 2>/dev/null)" ]
	then
		echo "$candidate"
		exit 0
	fi
done
