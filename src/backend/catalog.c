/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The extension's own tables: where they are, when they change, reading.
 *
 * Tables are found through the extension's oid and pg_depend, so no
 * search_path and no look-alike can put another in their place.  Changes are
 * heard through relcache invalidation, which the row triggers of the install
 * script send (trigger.c).  Writing is in catalog_write.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "compat.h"
#include "guc.h"
#include "miscadmin.h"
#include "storage/sinval.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static const char *const table_names[JWTAUTH_NUM_TABLES] = {
	"key_store",
	"issuers",
	"session_store",
	"revoked_tokens",
	"revoked_subjects",
	"event_store",
};

static Oid	table_oids[JWTAUTH_NUM_TABLES];
static uint64 table_generations[JWTAUTH_NUM_TABLES];	/* 0: not found yet */
static uint64 catalog_generation = 1;

/* Whether a table was found empty, and the generation that it is true of. */
static struct
{
	uint64		generation;
	bool		is_empty;
}			emptiness[JWTAUTH_NUM_TABLES];

/* The oids were found, and nothing was heard since that could undo it. */
static bool oids_known = false;
static bool oids_checked = false;
static bool listening = false;

struct JwtAuthScan
{
	Relation	rel;
	SysScanDesc desc;
	HeapTuple	tuple;
};

/*
 * Only counts and raises a flag: this can run inside our own table_open(),
 * where forgetting the oid in use would open relation 0.
 */
static void
on_relcache_invalidation(Datum arg, Oid relid)
{
	for (int i = 0; i < JWTAUTH_NUM_TABLES; i++)
	{
		if (relid == InvalidOid || relid == table_oids[i])
		{
			table_generations[i]++;
			catalog_generation++;
			jwtauth_epoch++;
			oids_checked = false;
		}
	}
}

static bool
oids_still_exist(void)
{
	for (int i = 0; i < JWTAUTH_NUM_TABLES; i++)
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table_oids[i])))
			return false;
	return true;
}

/* Finds the tables among the members of the extension. */
static bool
find_oids(Oid extension, Oid *found)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	int			count = 0;

	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(ExtensionRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(extension));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL,
							  2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		char	   *name;

		if (form->classid != RelationRelationId ||
			form->deptype != DEPENDENCY_EXTENSION)
			continue;
		name = get_rel_name(form->objid);
		for (int i = 0; name != NULL && i < JWTAUTH_NUM_TABLES; i++)
		{
			if (strcmp(name, table_names[i]) == 0 &&
				get_rel_relkind(form->objid) == RELKIND_RELATION)
			{
				found[i] = form->objid;
				count++;
			}
		}
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return count == JWTAUTH_NUM_TABLES;
}

static void
know_oids(void)
{
	Oid			found[JWTAUTH_NUM_TABLES] = {0};
	Oid			extension;

	if (!listening)
	{
		CacheRegisterRelcacheCallback(on_relcache_invalidation, (Datum) 0);
		listening = true;
	}

	/* Set first: what is heard while we look must be looked at again. */
	oids_checked = true;
	if (oids_known && oids_still_exist())
		return;

	oids_known = false;
	oids_checked = false;
	extension = get_extension_oid("jwt_auth", true);
	if (!OidIsValid(extension) || !find_oids(extension, found))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" is not installed in this database",
						"jwt_auth"),
				 errhint("Run CREATE EXTENSION jwt_auth.")));
	memcpy(table_oids, found, sizeof(table_oids));
	for (int i = 0; i < JWTAUTH_NUM_TABLES; i++)
		table_generations[i]++;
	catalog_generation++;
	jwtauth_epoch++;
	oids_known = true;
	oids_checked = true;
}

Oid
jwtauth_table_oid(JwtAuthTable table)
{
	if (!oids_known || !oids_checked)
		know_oids();
	return table_oids[table];
}

void
jwtauth_catalog_listen(void)
{
	AcceptInvalidationMessages();
	if (!oids_known || !oids_checked)
		know_oids();
}

uint64
jwtauth_table_generation(JwtAuthTable table)
{
	return table_generations[table];
}

uint64
jwtauth_catalog_generation(void)
{
	return catalog_generation;
}

/* Equality function of the few types that our primary keys have. */
static RegProcedure
equality_of(Oid type)
{
	switch (type)
	{
		case TEXTOID:
			return F_TEXTEQ;
		case UUIDOID:
			return F_UUID_EQ;
		default:
			elog(ERROR, "no equality function for key type %u", type);
	}
}

bool
jwtauth_table_is_empty(JwtAuthTable table)
{
	uint64		generation;
	JwtAuthScan *scan;

	(void) jwtauth_table_oid(table);
	generation = table_generations[table];
	if (emptiness[table].generation == generation)
		return emptiness[table].is_empty;
	scan = jwtauth_scan_begin(table, 0, NULL, NULL);
	emptiness[table].is_empty = !jwtauth_scan_next(scan);
	jwtauth_scan_end(scan);
	emptiness[table].generation = generation;
	return emptiness[table].is_empty;
}

JwtAuthScan *
jwtauth_scan_begin(JwtAuthTable table, int nkeys, Datum *keys,
				   const Oid *types)
{
	/* NULL: a snapshot of this moment. */
	return jwtauth_scan_begin_under(table, nkeys, keys, types, NULL);
}

JwtAuthScan *
jwtauth_scan_begin_under(JwtAuthTable table, int nkeys, Datum *keys,
						 const Oid *types, Snapshot snapshot)
{
	JwtAuthScan *scan = palloc(sizeof(JwtAuthScan));
	ScanKeyData skey[2];
	Oid			pkey;

	Assert(nkeys >= 0 && nkeys <= lengthof(skey));
	scan->rel = table_open(jwtauth_table_oid(table), AccessShareLock);

	/* Columns of a primary key come first in our tables, in its order. */
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&skey[i], 0, i + 1, BTEqualStrategyNumber,
							   InvalidOid,
							   types[i] == TEXTOID ? C_COLLATION_OID : InvalidOid,
							   equality_of(types[i]), keys[i]);

	pkey = jwtauth_primary_key(scan->rel);
	if (!OidIsValid(pkey))
		elog(ERROR, "relation \"%s\" has lost its primary key",
			 RelationGetRelationName(scan->rel));

	scan->desc = systable_beginscan(scan->rel, pkey, true, snapshot, nkeys, skey);
	scan->tuple = NULL;
	return scan;
}

bool
jwtauth_scan_next(JwtAuthScan *scan)
{
	CHECK_FOR_INTERRUPTS();
	scan->tuple = systable_getnext(scan->desc);
	return HeapTupleIsValid(scan->tuple);
}

Datum
jwtauth_scan_column(JwtAuthScan *scan, int attno, bool *isnull)
{
	TupleDesc	desc = RelationGetDescr(scan->rel);
	Form_pg_attribute att = TupleDescAttr(desc, attno - 1);
	Datum		value = heap_getattr(scan->tuple, attno, desc, isnull);

	if (*isnull)
		return (Datum) 0;
	if (att->attlen == -1)
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	return datumCopy(value, att->attbyval, att->attlen);
}

TransactionId
jwtauth_scan_writer(JwtAuthScan *scan)
{
	return HeapTupleHeaderGetXmin(scan->tuple->t_data);
}

HeapTuple
jwtauth_scan_row(JwtAuthScan *scan)
{
	return heap_copytuple(scan->tuple);
}

void
jwtauth_scan_end(JwtAuthScan *scan)
{
	systable_endscan(scan->desc);
	table_close(scan->rel, AccessShareLock);
	pfree(scan);
}

Datum
jwtauth_text(JwtSlice slice)
{
	return PointerGetDatum(cstring_to_text_with_len(slice.data, slice.len));
}

JwtSlice
jwtauth_text_slice(Datum datum)
{
	text	   *t = DatumGetTextPP(datum);
	JwtSlice	slice;

	slice.data = VARDATA_ANY(t);
	slice.len = VARSIZE_ANY_EXHDR(t);
	return slice;
}

/*
 * A background worker may never set its statement's clock after it has
 * connected; a parallel worker gets its leader's.
 */
bool
jwtauth_clock_runs(void)
{
	return MyBackendType == B_BG_WORKER && !IsParallelWorker();
}

/*
 * Both clocks stand still within a statement; the transaction's runs ahead
 * of the statement's after COMMIT in a procedure.
 */
TimestampTz
jwtauth_now(void)
{
	if (jwtauth_clock_runs())
		return GetCurrentTimestamp();
	return Max(GetCurrentStatementStartTimestamp(),
			   GetCurrentTransactionStartTimestamp());
}

#define EPOCH_US ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * \
				  SECS_PER_DAY * USECS_PER_SEC)

int64
jwtauth_unix_us(TimestampTz at)
{
	/* Infinity and its neighbourhood stay at the end of the scale. */
	return at > PG_INT64_MAX - EPOCH_US ? PG_INT64_MAX : at + EPOCH_US;
}

TimestampTz
jwtauth_from_unix_us(int64 unix_us)
{
	return unix_us - EPOCH_US;
}
