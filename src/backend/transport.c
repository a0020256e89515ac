/*-------------------------------------------------------------------------
 *
 * transport.c
 *	  Is the connection good enough to carry tokens?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "compat.h"
#include "guc.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "transport.h"
#include "utils/backend_status.h"

/* What the server knows of the connection of a parallel worker's leader. */
static bool
leader_is_secure(void)
{
	int			leader = MyProc->lockGroupLeader ? MyProc->lockGroupLeader->pid : 0;
	int			count = pgstat_fetch_stat_numbackends();

	for (int i = 1; i <= count; i++)
	{
		PgBackendStatus *status = jwtauth_backend_status(i);

		if (status == NULL || status->st_procpid != leader)
			continue;
		return status->st_ssl ||
			status->st_clientaddr.addr.ss_family == AF_UNIX ||
			status->st_backendType != B_BACKEND;
	}
	return false;
}

/*
 * Is this connection good enough to carry tokens?  A parallel worker has
 * none of its own, and its leader may never have asked; any other process
 * without a client gets no token over a network.
 */
JwtStatus
jwtauth_judge_transport(JwtAuthFault *fault)
{
	bool		secure;

	if (!jwtauth_require_tls)
		return JWT_OK;
	if (IsParallelWorker())
		secure = leader_is_secure();
	else
		secure = MyProcPort == NULL || MyProcPort->ssl_in_use ||
			MyProcPort->laddr.addr.ss_family == AF_UNIX;
	return secure ? JWT_OK : jwtauth_fault(fault, JWT_E_INSECURE);
}
