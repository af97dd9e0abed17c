# Watches over one private Postgres server: makes its folder, starts and stops it as told on
# standard input, and ends server and folder when that input ends, however its other end died.
#
# Arguments: bin folder, parent folder, owner of the files (or empty), yes|no for durable, and the
# words to put before a command so that it runs as the server's account.
# Input: the password, then `up PORT` and `down`. Each of the three is answered with one line.
set -u
umask 077
bin=$1 parent=$2 owner=$3 durable=$4
shift 4
folder= server=

running() { kill -0 "$1" 2>/dev/null; }

# With su or runuser the server is not this shell's own child, so its id comes from its own file.
process_id() { head -n 1 data/postmaster.pid 2>/dev/null; }

# Line 8 says `ready` once connections are accepted. A killed server leaves the file behind, so
# the id of line 1 has to be running, and both have to come from one look at the file.
ready() {
  set -- $(sed -n '1p;8p' data/postmaster.pid 2>/dev/null)
  [ "${2-}" = ready ] && running "$1"
}

# Waits for at most a minute; each round also lets the shell notice that the server gave up.
until_ready() {
  rounds=0
  until ready; do
    rounds=$((rounds + 1))
    running "$server" && [ $rounds -lt 3000 ] || return 1
    sleep 0.02
  done
}

# By signal: INT keeps what was committed, QUIT doesn't take the time.
down() {
  [ -n "$server" ] || return 0
  # The id in the file of a server that died by itself may be another process's by now.
  if running "$server"; then
    kill "-$1" "$(process_id)" 2>/dev/null || kill -TERM "$server" 2>/dev/null
  fi
  while running "$server"; do wait "$server" 2>/dev/null; done
  server=
}

# Backends whose server was killed may still be writing for a moment.
finish() {
  trap - EXIT
  down QUIT
  [ -n "$folder" ] || return 0
  cd /
  rounds=0
  until rm -rf "$folder" || [ $rounds -ge 50 ]; do
    rounds=$((rounds + 1))
    sleep 0.1
  done
}

trap finish EXIT
trap 'exit 1' HUP INT TERM
# Answering a reader that is gone must not end this shell before it has cleaned up.
trap '' PIPE

folder=$(mktemp -d "$parent/dev-postgres.XXXXXX") || exit 1
cd "$folder" || exit 1
IFS= read -r password || exit 1
printf '%s\n' "$password" >password
if [ -n "$owner" ]; then chown -R "$owner" . || exit 1; fi

"$@" "$bin/initdb" --pgdata=data --username=postgres --pwfile=password --auth=scram-sha-256 \
  --encoding=UTF8 --locale=C --no-sync </dev/null >log 2>&1
status=$?
rm -f password
if [ $status -eq 0 ]; then echo "made $folder"; else echo "failed $folder"; fi

# No socket file, and no shared memory outside the folder: what is not there can't stay behind.
set -- "$@" "$bin/postgres" -D data -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c dynamic_shared_memory_type=mmap -c max_connections=500 -c timezone=UTC -c log_timezone=UTC
if [ "$durable" = no ]; then
  set -- "$@" -F -c synchronous_commit=off -c full_page_writes=off
fi

while read -r word port; do
  case $word in
    up)
      down QUIT
      "$@" -p "$port" </dev/null >>log 2>&1 &
      server=$!
      if until_ready; then echo up; else down QUIT; echo failed; fi
      ;;
    down)
      down INT
      echo down
      ;;
  esac
done
