/*
 * A background worker that runs SQL from its argument without ever setting
 * the clock of a statement, as careless ones do.  Built by t/240_expiry.pl.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(clock_worker_start);
extern PGDLLEXPORT void clock_worker_main(Datum arg) __attribute__((visibility("default")));
extern PGDLLEXPORT void _PG_init(void);

/* clock_worker_start(library text, sql text) */
Datum
clock_worker_start(PG_FUNCTION_ARGS)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, text_to_cstring(PG_GETARG_TEXT_PP(0)), sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "clock_worker_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "clock worker", BGW_MAXLEN);
	strlcpy(worker.bgw_extra, text_to_cstring(PG_GETARG_TEXT_PP(1)), BGW_EXTRALEN);
	worker.bgw_notify_pid = MyProcPid;
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		elog(ERROR, "no slot");
	PG_RETURN_VOID();
}

/* Runs the statement twice, as two transactions three seconds apart. */
void
clock_worker_main(Datum arg)
{
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection("postgres", NULL, 0);
	for (int i = 0; i < 2; i++)
	{
		StartTransactionCommand();
		SPI_connect();
		PushActiveSnapshot(GetTransactionSnapshot());
		SPI_execute(MyBgworkerEntry->bgw_extra, false, 0);
		SPI_finish();
		PopActiveSnapshot();
		CommitTransactionCommand();
		if (i == 0)
			pg_usleep(3000000L);
	}
}
