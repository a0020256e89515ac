#!/bin/sh
# copy_tree.sh FOLDER: copies what a build and the tests need, as it is now,
# to FOLDER, which must exist.  What is compiled goes along, with its times.

set -eu
cd "$(dirname "$0")/.."
tar -cf - --exclude=./.git --exclude=./build --exclude=./tmp_check --exclude=node_modules . |
	tar -xf - -C "$1"
