/*-------------------------------------------------------------------------
 *
 * keystore_secret.c
 *	  Between a private key and the bytes that the key store keeps of it.
 *
 * An oct key is kept as its raw bytes, any other as PKCS#8 PEM: formats that
 * pass through one buffer each, which is wiped, and never through jsonb,
 * whose building leaves copies behind.  If jwt_auth.encryption_key_file is
 * set, these bytes are stored sealed; what that is says seal.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base64url.h"
#include "compat.h"
#include "guc.h"
#include "keystore_file.h"
#include "keystore_secret.h"
#include "report.h"
#include "secret.h"

JwtSealName
jwtauth_keystore_seal_name(JwtSlice issuer, JwtSlice kid, JwtKeyType kty,
						   const JwtAlg *alg)
{
	JwtSealName name;

	name.issuer = issuer;
	name.kid = kid;
	name.kty = jwt_slice_of(jwt_kty_name(kty));
	name.alg = jwt_slice_of(alg != NULL ? alg->name : "");
	return name;
}

static JwtSlice
bytes_of(bytea *value)
{
	JwtSlice	slice = {VARDATA(value), VARSIZE(value) - VARHDRSZ};

	return slice;
}

static bytea *
raw_secret_of(const JwtKey *key)
{
	char		text[JWT_JWK_MEMBER_MAX];
	unsigned char raw[JWT_MAX_SECRET_LEN];
	JwtSlice	slice = {text, 0};
	size_t		len = 0;
	JwtStatus	status;
	bytea	   *result = jwtauth_secret_alloc(VARHDRSZ + JWT_MAX_SECRET_LEN);

	status = jwt_key_member(key, JWT_JWK_K, text, sizeof(text), &slice.len);
	if (status == JWT_OK)
		status = jwt_base64url_decode(slice, raw, sizeof(raw), &len);
	memcpy(VARDATA(result), raw, len);
	SET_VARSIZE(result, VARHDRSZ + len);
	jwt_wipe(text, sizeof(text));
	jwt_wipe(raw, sizeof(raw));
	jwtauth_check_machine(status);
	return result;
}

static bytea *
pem_of(const JwtKey *key)
{
	/* Allocated first: nothing may throw while the PEM has no owner. */
	bytea	   *result = jwtauth_secret_alloc(VARHDRSZ + JWT_MAX_PEM_LEN);
	char	   *pem;
	size_t		len;
	JwtStatus	status;

	status = jwt_key_to_pem(key, &pem, &len);
	if (status != JWT_OK)
		jwtauth_raise_key(status, NULL);
	if (len > JWT_MAX_PEM_LEN)
	{
		jwt_pem_free(pem, len);
		elog(ERROR, "private key is larger than any that is supported");
	}
	memcpy(VARDATA(result), pem, len);
	SET_VARSIZE(result, VARHDRSZ + len);
	jwt_pem_free(pem, len);
	return result;
}

JwtAuthSecret
jwtauth_keystore_seal(bytea *clear, const JwtSealName *name,
					  const JwtSealKey *seal_key)
{
	JwtSlice	bytes = bytes_of(clear);
	size_t		size = VARHDRSZ + bytes.len + JWT_SEAL_OVERHEAD;
	JwtAuthSecret sealed;

	sealed.bytes = palloc(size);
	SET_VARSIZE(sealed.bytes, size);
	sealed.sealed_by = pstrdup(seal_key->id);
	jwtauth_check_machine(jwt_seal(seal_key, name, bytes,
								   (unsigned char *) VARDATA(sealed.bytes)));
	return sealed;
}

bytea *
jwtauth_keystore_unseal(bytea *sealed, const JwtSealName *name,
						const JwtSealKey *seal_key)
{
	JwtSlice	bytes = bytes_of(sealed);
	bytea	   *clear = jwtauth_secret_alloc(VARHDRSZ + bytes.len);
	size_t		len;
	JwtStatus	status;

	status = jwt_unseal(seal_key, name, bytes,
						(unsigned char *) VARDATA(clear), &len);
	jwtauth_check_machine(status);
	if (status != JWT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("sealed private key does not open"),
				 errdetail("Its bytes, or the row that they stand in, are not what they were when it was sealed."),
				 errhint("Restore the row from a backup, or make a new key.")));
	SET_VARSIZE(clear, VARHDRSZ + len);
	return clear;
}

JwtAuthSecret
jwtauth_keystore_secret_of(const JwtKey *key, const JwtSealName *name)
{
	JwtAuthSecret secret = {NULL, NULL};
	JwtSealKey *seal_key;
	bytea	   *clear;

	if (!jwt_key_is_private(key))
		return secret;

	seal_key = jwtauth_seal_key_of_setting();
	clear = jwt_key_type(key) == JWT_KTY_OCT ? raw_secret_of(key) : pem_of(key);
	if (seal_key == NULL)
	{
		secret.bytes = clear;
		return secret;
	}
	secret = jwtauth_keystore_seal(clear, name, seal_key);
	jwtauth_secret_wipe(clear);
	jwt_wipe(seal_key, sizeof(*seal_key));
	return secret;
}

void
jwtauth_keystore_need_file(const char *sealed_by, const JwtSealKey *seal_key)
{
	if (seal_key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("private key is sealed"),
				 errdetail("Setting \"jwt_auth.encryption_key_file\" is empty."),
				 errhint("Set it to the file that the key was sealed with.")));
	if (strcmp(seal_key->id, sealed_by) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("private key is sealed with another file"),
				 errdetail("Column sealed_by of jwt.keys says %s, and setting \"jwt_auth.encryption_key_file\" names %s.",
						   sealed_by, seal_key->id),
				 errhint("Set it to the file that the key was sealed with, or pass that file to jwt.reseal().")));
}

/* The bytes as they were before they were sealed. */
static bytea *
opened(bytea *secret, const char *sealed_by, const JwtAuthKey *key)
{
	JwtSealName name =
	jwtauth_keystore_seal_name(jwt_slice_of(key->issuer),
							   jwt_slice_of(key->kid), key->kty, key->alg);
	JwtSealKey *seal_key = jwtauth_seal_key_of_setting();
	bytea	   *clear;

	jwtauth_keystore_need_file(sealed_by, seal_key);
	clear = jwtauth_keystore_unseal(secret, &name, seal_key);
	jwt_wipe(seal_key, sizeof(*seal_key));
	return clear;
}

JwtStatus
jwtauth_keystore_parse_secret(bytea *secret, const char *sealed_by,
							  const JwtAuthKey *key, MemoryContext context,
							  JwtKey **parsed)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtAuthKeyOwner *owner;
	bytea	   *clear = secret;
	JwtSlice	bytes;
	JwtStatus	status;

	if (sealed_by != NULL)
		clear = opened(secret, sealed_by, key);
	owner = jwtauth_key_owner(context);
	bytes = bytes_of(clear);
	if (key->kty == JWT_KTY_OCT)
		status = jwtauth_key_from_secret(bytes, key->alg, &limits, parsed);
	else
		status = jwt_key_from_pem(bytes, key->alg, &limits, parsed);
	jwtauth_key_own(owner, *parsed);
	jwtauth_secret_wipe(clear);
	return status;
}
