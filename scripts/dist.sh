#!/bin/sh
# dist.sh: the release of the last commit, under the version of META.json, in
# build/dist: a zip as PGXN takes it, and a tar.gz.  The same commit gives the
# same bytes, whoever makes it and when.

set -eu
cd "$(dirname "$0")/.."

scripts/check_meta.pl
version=$(perl -MJSON::PP -0777 -ne 'print decode_json($_)->{version}' META.json)
name=jwt_auth-$version
git diff --quiet HEAD -- ||
	echo "dist: what is not committed is not in it" >&2

# A zip has local times.
export TZ=UTC
rm -rf build/dist
mkdir -p build/dist
git archive --format=zip -9 --prefix="$name/" -o "build/dist/$name.zip" HEAD
git archive --format=tar --prefix="$name/" HEAD | gzip -9n >"build/dist/$name.tar.gz"
ls build/dist/*
