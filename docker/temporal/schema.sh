#!/bin/sh
# Brings the two databases of Temporal to the schema of this version of its tools. Runs before every start: on a
# database that is current it changes nothing.
set -eu

: "${SQL_HOST:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"

upgrade() {
  database="$1"
  versions="$2"
  sql="temporal-sql-tool --plugin postgres12 --ep $SQL_HOST --port ${SQL_PORT:-5432} --user $SQL_USER --database $database"
  # Sets the version tables up where there are none; a schema beyond 0.0 is left as it is.
  $sql setup-schema --version 0.0
  $sql update-schema --schema-dir "$versions"
}

upgrade temporal /etc/temporal/schema/postgresql/v12/temporal/versioned
upgrade temporal_visibility /etc/temporal/schema/postgresql/v12/visibility/versioned
