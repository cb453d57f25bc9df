#!/bin/sh
# Runs once, when the volume is new: a role and a database of its own for Relance and for Temporal, so that neither can
# read the other's rows and neither is a superuser.
set -eu

: "${RELANCE_DB_PASSWORD:?}" "${TEMPORAL_DB_PASSWORD:?}"

# The passwords travel as psql variables, quoted by psql, never as text of ours in SQL.
psql --username "$POSTGRES_USER" --dbname postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
  --set relance_password="$RELANCE_DB_PASSWORD" --set temporal_password="$TEMPORAL_DB_PASSWORD" <<'SQL'
CREATE ROLE relance LOGIN PASSWORD :'relance_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';

CREATE DATABASE relance OWNER relance;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

REVOKE ALL ON DATABASE relance FROM PUBLIC;
REVOKE ALL ON DATABASE temporal FROM PUBLIC;
REVOKE ALL ON DATABASE temporal_visibility FROM PUBLIC;
SQL
