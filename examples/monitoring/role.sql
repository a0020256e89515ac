-- A role for the exporter, as a superuser in the database to be watched:
--
--	psql -X -d app -f examples/monitoring/role.sql
--
-- pg_monitor reads jwt.stats.  Of the other views it gets the columns that are
-- counted, and no subject, claim or session id.

\set ON_ERROR_STOP on

CREATE ROLE jwt_monitor LOGIN;
GRANT pg_monitor TO jwt_monitor;
GRANT SELECT (kid, issuer, sealed_by, key_uri) ON jwt.keys TO jwt_monitor;
GRANT SELECT (is_open) ON jwt.sessions TO jwt_monitor;
GRANT SELECT (at, kind) ON jwt.events TO jwt_monitor;
GRANT EXECUTE ON FUNCTION jwt.key_advice TO jwt_monitor;
