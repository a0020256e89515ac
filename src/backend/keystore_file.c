/*-------------------------------------------------------------------------
 *
 * keystore_file.c
 *	  The file that private keys are sealed with.
 *
 * It is read whenever it is needed, which is about once for each key and
 * backend, so that no sealing key is kept in memory.  Its path is for the
 * server's log only: whoever signs or verifies may meet these messages.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"
#include "guc.h"
#include "keystore_file.h"
#include "report.h"
#include "secret.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#define MAX_FILE 65536			/* bytes; nobody means a larger one */

static void
refuse_file(const char *path, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("encryption key file cannot be used"),
			 errdetail("%s", _(detail)),
			 errdetail_log("File \"%s\": %s", path, _(detail)),
			 errhint("%s", _(hint))));
}

static void
could_not(const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read encryption key file: %m"),
			 errdetail_log("The file is \"%s\".", path),
			 errhint("The server's user must be able to read the file that \"jwt_auth.encryption_key_file\", or the caller, names.")));
}

/*
 * The rules for a TLS key: check_ssl_key_file_permissions().  Asked of the
 * open file, so that it cannot be another one by the time it is read.
 */
static void
check_access(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		refuse_file(path, gettext_noop("It is not a regular file."),
					gettext_noop("Make one with: openssl rand -out FILE 32"));
#if !defined(WIN32) && !defined(__CYGWIN__)
	if (st->st_uid != geteuid() && st->st_uid != 0)
		refuse_file(path, gettext_noop("It is owned neither by the server's user nor by root."),
					gettext_noop("Change its owner to the server's user, and its mode to 0600."));
	if ((st->st_uid == geteuid() && (st->st_mode & (S_IRWXG | S_IRWXO))) ||
		(st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO))))
		refuse_file(path, gettext_noop("It has group or world access."),
					gettext_noop("Permissions should be u=rw (0600) or less if the server's user owns it, or u=rw,g=r (0640) or less if root does."));
#endif
}

/* All of the file; raises if it is too short, too long or not private. */
static size_t
read_file(const char *path, char *buf)
{
	int			flags = O_RDONLY | PG_BINARY;
	struct stat st;
	size_t		len = 0;
	ssize_t		got;
	int			fd;

	/* A pipe without a writer must not keep us waiting. */
#ifdef O_NONBLOCK
	flags |= O_NONBLOCK;
#endif
	fd = OpenTransientFile(path, flags);
	if (fd < 0 || fstat(fd, &st) != 0)
		could_not(path);
	check_access(path, &st);

	while (len <= MAX_FILE &&
		   (got = read(fd, buf + len, MAX_FILE + 1 - len)) != 0)
	{
		if (got < 0)
			could_not(path);
		len += got;
	}
	if (CloseTransientFile(fd) != 0)
		could_not(path);

	if (len < JWT_SEAL_MIN_FILE)
		refuse_file(path, gettext_noop("It has fewer than 32 bytes."),
					gettext_noop("Make one with: openssl rand -out FILE 32"));
	if (len > MAX_FILE)
		refuse_file(path, gettext_noop("It has more than 65536 bytes."),
					gettext_noop("Make one with: openssl rand -out FILE 32"));
	return len;
}

JwtSealKey *
jwtauth_seal_key_of_file(const char *path)
{
	JwtSealKey *key = jwtauth_secret_alloc(sizeof(JwtSealKey));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "jwt_auth key file",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	char	   *buf = jwtauth_secret_alloc(MAX_FILE + 1);
	JwtSlice	material = {buf, 0};
	JwtStatus	status;

	material.len = read_file(path, buf);
	status = jwt_seal_derive(material, key);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	jwtauth_check_machine(status);
	return key;
}

JwtSealKey *
jwtauth_seal_key_of_setting(void)
{
	const char *path = jwtauth_encryption_key_file;

	return path != NULL && path[0] != '\0' ?
		jwtauth_seal_key_of_file(path) : NULL;
}
