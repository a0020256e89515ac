#!/bin/sh
# In the place of initdb while tests run: of clusters that are made alike all
# but the first are copies.  A copy takes a tenth of initdb's time, which every
# TAP test wants a server for.  (PostgreSQL's own tests know it from 17 on, as
# INITDB_TEMPLATE.)

set -eu

case "${1-} $*" in
	*" -W"* | *pwfile* | *waldir* | *" -X"*) exec "$0.real" "$@" ;;
	"-D "*) ;;
	*) exec "$0.real" "$@" ;;
esac
[ ! -e "$2" ] || exec "$0.real" "$@"

data=$2
shift 2
model=$JWT_AUTH_TMP/tmp/cluster.$(echo "$*" | cksum | tr ' ' .)
if [ ! -d "$model" ]
then
	made=$(mktemp -d "$model.XXXXXX")
	"$0.real" -D "$made" "$@"
	# Somebody else may have been faster.
	mv -T "$made" "$model" 2>/dev/null || rm -rf "$made"
fi
cp -a "$model" "$data"
echo "a copy of a cluster that initdb made with the same options"
