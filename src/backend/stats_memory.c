/*-------------------------------------------------------------------------
 *
 * stats_memory.c
 *	  The memory that statistics are shared in: asked for, made, found.
 *
 * A library of shared_preload_libraries has its part of the server's own
 * shared memory; another finds a named segment, where the server has such.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "miscadmin.h"
#include "stats_file.h"
#include "stats_memory.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#define SHARED_NAME "jwt_auth statistics 1"

JwtAuthSharedStats *jwtauth_shared_stats = NULL;

static bool preloaded = false;

/* The table that is being made; its makers have no other argument. */
static JwtAuthSharedStats *fresh = NULL;

static void
restore_row(const JwtAuthStatsRecord *record)
{
	JwtAuthSharedRow *row;

	if (fresh->used >= JWTAUTH_STATS_ROWS || record->id == 0)
		return;
	row = &fresh->rows[fresh->used];
	fresh->ids[fresh->used++] = record->id;
	row->name = record->name;
	row->since = record->since;
	pg_atomic_write_u64(&row->last_used, record->last_used);
	pg_atomic_write_u64(&row->last_rejected, record->last_rejected);
	pg_atomic_write_u64(&row->rested_from, record->rested_from);
	pg_atomic_write_u64(&row->woke_at, record->woke_at);
	pg_atomic_write_u64(&row->woke_by, record->woke_by);
	pg_atomic_write_u64(&row->newest_iat, record->newest_iat);
	if (record->woke_at != 0)
		pg_atomic_fetch_add_u64(&fresh->news, 1);
	for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
		pg_atomic_write_u64(&row->counts[i], record->counts[i]);
}

static void
make_row(JwtAuthSharedRow *row)
{
	pg_atomic_init_u64(&row->last_used, 0);
	pg_atomic_init_u64(&row->last_rejected, 0);
	pg_atomic_init_u64(&row->rested_from, 0);
	pg_atomic_init_u64(&row->woke_at, 0);
	pg_atomic_init_u64(&row->woke_by, 0);
	pg_atomic_init_u64(&row->newest_iat, 0);
	for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
		pg_atomic_init_u64(&row->counts[i], 0);
}

/* Fresh memory becomes an empty table, with what an earlier server left. */
static void
make_table(void *memory)
{
	fresh = memory;
	memset(fresh, 0, sizeof(*fresh));
	LWLockInitialize(&fresh->lock, jwtauth_new_tranche("jwt_auth"));
	pg_atomic_init_u64(&fresh->saved_at, GetCurrentTimestamp());
	pg_atomic_init_u64(&fresh->news, 0);
	for (int i = 0; i < JWTAUTH_NUM_CAUSES; i++)
	{
		pg_atomic_init_u64(&fresh->logged_at[i], 0);
		pg_atomic_init_u64(&fresh->left_out[i], 0);
	}
	for (int i = 0; i < JWTAUTH_STATS_ROWS; i++)
		make_row(&fresh->rows[i]);
	jwtauth_stats_load(restore_row);
}

static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

static void
request(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(JwtAuthSharedStats)));
}

/* The postmaster's last act; not in a crash, when memory cannot be trusted. */
static void
save_at_shutdown(int code, Datum arg)
{
	if (code == 0 && jwtauth_shared_stats != NULL)
		jwtauth_stats_save(true, jwtauth_stats_read);
}

static void
startup(void)
{
	JwtAuthSharedStats *table;
	bool		found;

	if (previous_startup)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	table = ShmemInitStruct(SHARED_NAME, sizeof(JwtAuthSharedStats), &found);
	if (!found)
		make_table(table);
	LWLockRelease(AddinShmemInitLock);
	jwtauth_shared_stats = table;
	jwtauth_name_tranche(jwtauth_shared_stats->lock.tranche, "jwt_auth");
	if (!IsUnderPostmaster)
		on_shmem_exit(save_at_shutdown, (Datum) 0);
}

void
jwtauth_stats_request(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	preloaded = true;
	previous_request = shmem_request_hook;
	shmem_request_hook = request;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = startup;
}

const char *
jwtauth_stats_source(void)
{
	if (preloaded)
		return "shared_preload_libraries";
	return JWTAUTH_HAS_DSM_REGISTRY ? "dsm registry" : NULL;
}

#if JWTAUTH_HAS_DSM_REGISTRY

/*
 * In a subtransaction: where the memory cannot be had (a small /dev/shm),
 * tokens are judged all the same, and not counted.
 */
static void
find_segment(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	JwtAuthSharedStats *volatile table = NULL;
	bool		found;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		table = jwtauth_named_segment(SHARED_NAME, sizeof(JwtAuthSharedStats),
									  make_table, &found);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		ereport(LOG,
				(errmsg("no statistics of tokens are collected in this session"),
				 errdetail("%s", error->message)));
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (table != NULL)
		jwtauth_name_tranche(table->lock.tranche, "jwt_auth");
	jwtauth_shared_stats = table;
}
#endif

bool
jwtauth_stats_attach(void)
{
#if JWTAUTH_HAS_DSM_REGISTRY
	static bool tried = false;

	if (jwtauth_shared_stats == NULL && !preloaded && !tried)
	{
		tried = true;
		find_segment();
	}
#endif
	return jwtauth_shared_stats != NULL;
}
