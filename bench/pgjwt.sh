#!/bin/sh
# Prints SQL that makes pgjwt, of the folder $PEER_PGJWT, in a schema of its
# own; pgcrypto is in the schema public.

set -eu
echo 'CREATE SCHEMA pgjwt; GRANT USAGE ON SCHEMA pgjwt TO PUBLIC; SET search_path = pgjwt, public;'
# The install script of the newest version that has one.
file=$(ls "$PEER_PGJWT"/pgjwt--*.sql | grep -v -- '--.*--' | sort -V | tail -n 1)
sed -e '/^\\echo/d' -e 's/@extschema@\.hmac/public.hmac/g' -e 's/@extschema@/pgjwt/g' "$file"
