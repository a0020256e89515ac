#!/bin/sh
# indent.sh [--check]: lays out our C files as PostgreSQL does, or shows what
# would change and fails.  typedefs.list tells type names from multiplication;
# a type of ours that it does not name is an error too.  (It leaves out "text":
# variables have that name, and pg_bsd_indent would take them for types.)

set -u
cd "$(dirname "$0")/.." || exit

mode=${1:-}
command -v pg_bsd_indent >/dev/null || {
	echo "indent: pg_bsd_indent is not installed (Debian: pg-bsd-indent)" >&2
	exit 1
}

files=$(find jwt_auth.c src test bench -name '*.[ch]' 2>/dev/null | sort)
raw=$(mktemp)
laid_out=$(mktemp)
trap 'rm -f "$raw" "$laid_out"' EXIT
failed=0

# typedef struct X X;  typedef enum {...} X;  typedef int X;
for type in $(sed -nE \
	-e 's/^typedef [a-zA-Z_].*[ *]([A-Za-z_][A-Za-z0-9_]*);.*/\1/p' \
	-e 's/^\}[ \t]*([A-Z][A-Za-z0-9_]*);.*/\1/p' \
	-e 's/^typedef .*\(\*([A-Za-z_][A-Za-z0-9_]*)\).*/\1/p' $files | sort -u)
do
	grep -qx "$type" typedefs.list || {
		echo "indent: typedefs.list does not name $type" >&2
		failed=1
	}
done

# lay_out FILE: prints it as it should be.  As with PostgreSQL's pgindent, the
# program's quirks are mended afterwards: a tab before the "*" of a return type
# on a line of its own, and an empty line before a table's first brace.
lay_out()
{
	pg_bsd_indent -bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 \
		-nfc1 -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4 \
		-Utypedefs.list <"$1" >"$raw" || return 1
	awk '
		/^[A-Za-z_][A-Za-z0-9_ ]*[ \t]+\*+$/ { sub(/[ \t]+\*/, " *") }
		/^$/ && after_equals { after_equals = 0; next }
		{ after_equals = /^}.* =$/; print }
	' "$raw"
}

for file in $files
do
	lay_out "$file" >"$laid_out" || {
		echo "indent: $file was not understood" >&2
		failed=1
		continue
	}
	if [ "$mode" = --check ]
	then
		diff -u --label "$file" --label "$file as it should be" \
			"$file" "$laid_out" || failed=1
	elif ! cmp -s "$file" "$laid_out"
	then
		echo "$file"
		cat "$laid_out" >"$file"
	fi
done

exit $failed
