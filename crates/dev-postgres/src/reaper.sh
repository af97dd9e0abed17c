# Drops what one run made on a given server, if the run's process ends without having done so.
# Arguments: psql, the server's URL without a password, the run. Environment: PGPASSWORD.
# Input: `done` if there is nothing left to drop; its end, however the process died, if there is.
if IFS= read -r word && [ "$word" = done ]; then exit 0; fi
"$1" --no-psqlrc --no-password --quiet --dbname="$2" --variable=pattern="^$3_[a-z0-9_]+\$" <<'SQL'
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname)
  FROM pg_database WHERE datname ~ :'pattern'
\gexec
SELECT format('DROP ROLE IF EXISTS %I', rolname)
  FROM pg_roles WHERE rolname ~ :'pattern'
\gexec
SQL
