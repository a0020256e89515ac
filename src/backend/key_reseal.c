/*-------------------------------------------------------------------------
 *
 * key_reseal.c
 *	  Every private key of the store moved to another sealing key.
 *
 * From the clear, or from an old file, to the file of the setting; or back
 * into the clear.  All in one transaction, and nobody writes meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "event.h"
#include "compat.h"
#include "key_admin.h"
#include "keystore_file.h"
#include "keystore_secret.h"
#include "nodes/pg_list.h"
#include "primitive.h"
#include "secret.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

/* A row with private material, read before any is written. */
typedef struct StoredSecret
{
	JwtSlice	issuer;
	JwtSlice	kid;
	JwtSealName name;
	bytea	   *bytes;
	char	   *sealed_by;		/* NULL: in the clear */
} StoredSecret;

static JwtAuthStatement set_secret = {
	"UPDATE %1$s SET secret = $3, sealed_by = $4"
	" WHERE issuer = $1 AND kid = $2",
	4,
	{TEXTOID, TEXTOID, BYTEAOID, TEXTOID}
};

static JwtSlice
column(JwtAuthScan *scan, int attno)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);
	JwtSlice	none = {NULL, 0};

	return isnull ? none : jwtauth_text_slice(datum);
}

/* NULL for a row without private material. */
static StoredSecret *
read_secret(JwtAuthScan *scan)
{
	StoredSecret *row;
	JwtSlice	sealed_by;
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, JWTAUTH_KEY_SECRET, &isnull);

	if (isnull)
		return NULL;
	row = palloc0(sizeof(StoredSecret));
	row->bytes = DatumGetByteaP(datum);
	jwtauth_secret_guard(row->bytes, VARSIZE(row->bytes));
	row->issuer = column(scan, JWTAUTH_KEY_ISSUER);
	row->kid = column(scan, JWTAUTH_KEY_KID);
	row->name.issuer = row->issuer;
	row->name.kid = row->kid;
	row->name.kty = column(scan, JWTAUTH_KEY_KTY);
	row->name.alg = column(scan, JWTAUTH_KEY_ALG);
	sealed_by = column(scan, JWTAUTH_KEY_SEALED_BY);
	if (sealed_by.data != NULL)
		row->sealed_by = pnstrdup(sealed_by.data, sealed_by.len);
	return row;
}

static List *
read_secrets(void)
{
	JwtAuthScan *scan = jwtauth_scan_begin(JWTAUTH_KEYS, 0, NULL, NULL);
	List	   *rows = NIL;

	while (jwtauth_scan_next(scan))
	{
		StoredSecret *row = read_secret(scan);

		if (row != NULL)
			rows = lappend(rows, row);
	}
	jwtauth_scan_end(scan);
	return rows;
}

/* Is it where it is to be already? */
static bool
is_there(const StoredSecret *row, const JwtSealKey *target)
{
	if (row->sealed_by == NULL || target == NULL)
		return row->sealed_by == NULL && target == NULL;
	return strcmp(row->sealed_by, target->id) == 0;
}

static bytea *
open_row(StoredSecret *row, const JwtSealKey *old)
{
	if (row->sealed_by == NULL)
		return row->bytes;
	if (old == NULL || strcmp(row->sealed_by, old->id) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("private key is sealed with another file"),
				 errdetail("Column sealed_by of jwt.keys says %s.",
						   row->sealed_by),
				 errhint("Pass the file that it was sealed with: jwt.reseal(old_key_file => ...).")));
	return jwtauth_keystore_unseal(row->bytes, &row->name, old);
}

static void
move_row(StoredSecret *row, const JwtSealKey *old, const JwtSealKey *target)
{
	JwtAuthSecret moved = {NULL, NULL};
	bytea	   *clear = open_row(row, old);
	Datum		values[4];
	char		nulls[] = "    ";

	moved.bytes = clear;
	if (target != NULL)
		moved = jwtauth_keystore_seal(clear, &row->name, target);
	values[0] = jwtauth_text(row->issuer);
	values[1] = jwtauth_text(row->kid);
	values[2] = PointerGetDatum(moved.bytes);
	values[3] = CStringGetTextDatum(moved.sealed_by ? moved.sealed_by : "");
	nulls[3] = moved.sealed_by ? ' ' : 'n';
	jwtauth_need_rows(jwtauth_execute(&set_secret, values, nulls), 1);
	jwtauth_secret_wipe(clear);
	jwtauth_secret_wipe(row->bytes);
}

int
jwtauth_key_reseal(const char *old_path)
{
	JwtSealKey *target = jwtauth_seal_key_of_setting();
	JwtSealKey *old = NULL;
	List	   *rows;
	ListCell   *lc;
	int			moved = 0;

	if (old_path != NULL &&
		!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read a file of the server"),
				 errdetail("Only superusers and members of pg_read_server_files may name an old key file.")));
	if (target == NULL && old_path == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("setting \"%s\" is empty",
						"jwt_auth.encryption_key_file"),
				 errhint("Set it to seal private keys. To have them in the clear again, pass the file that they were sealed with.")));
	if (old_path != NULL)
		old = jwtauth_seal_key_of_file(old_path);

	/* Readers go on; no key comes in between that would be left behind. */
	LockRelationOid(jwtauth_table_oid(JWTAUTH_KEYS), ShareRowExclusiveLock);
	rows = read_secrets();
	jwtauth_write_begin();
	foreach(lc, rows)
	{
		StoredSecret *row = lfirst(lc);

		if (is_there(row, target))
			continue;
		move_row(row, old, target);
		moved++;
	}
	jwtauth_write_end();
	if (moved > 0)
	{
		JwtSlice	none = {NULL, 0};

		jwtauth_event_record_key("keys resealed", none, none,
								 psprintf("%d", moved));
	}
	return moved;
}
