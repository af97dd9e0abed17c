# What the image promises, each an assertion. Sourced by `check`.

passed=0
failed=0

holds() { # sentence, command…
  local sentence=$1 code
  shift
  # In a shell of its own, which ends at the first command that fails; as a condition it would go on.
  set +e
  (set -e && "$@") >"$work/assertion.log" 2>&1
  code=$?
  set -e
  if [ "$code" = 0 ]; then
    passed=$((passed + 1))
    printf '  ok      %s\n' "$sentence"
  else
    failed=$((failed + 1))
    printf '  FAILED  %s\n' "$sentence"
    sed 's/^/          /' "$work/assertion.log" | tail -n 20
  fi
}

start_sandbox() {
  local tries
  cargo build --quiet --locked --package sandbox
  cargo sandbox --json >"$work/ready.json" 2>"$work/sandbox.log" &
  sandbox=$!
  for tries in $(seq 300); do
    [ ! -s "$work/ready.json" ] || break
    kill -0 "$sandbox"
    sleep 0.2
  done
  [ -s "$work/ready.json" ]
  write_settings
  token=$(mint_token)
}

ready() { # a Python expression over the sandbox's line `r`
  python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/ready.json" "$1"
}

# The file holds no secret; those are variables, as an orchestrator hands them in.
write_settings() {
  local folder=$work/settings app='next(a for a in r["apps"] if a["name"] == "tenant-bridge")'
  local domains='{d: t["id"] for t in r["tenants"] for d in t["domains"]}'
  local target source
  target=$(ready "($domains)[\"domain1.com\"]")
  source=$(ready "($domains)[\"domain2.com\"]")
  mkdir -p "$folder"
  cp "$(ready 'r["caFile"]')" "$folder/ca.pem"
  cat >"$folder/config.toml" <<TOML
[entra]
authority = "$(ready 'r["entra"]')/"
client_id = "$(ready "($app)[\"clientId\"]")"
calling_apps = ["$(ready 'next(a for a in r["apps"] if a["name"] == "portal")["clientId"]')"]
[arm]
endpoint = "$(ready 'r["arm"]')/"
[tenants]
users = ["$target", "$source"]
targets = ["$target"]
sources = ["$source"]
[upstream]
ca_file = "/etc/tenant-bridge/ca.pem"
TOML
  chmod -R a+rX "$folder"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >"$work/environment" <<ENV
TENANT_BRIDGE_CONFIG=/etc/tenant-bridge/config.toml
TENANT_BRIDGE__SERVER__LISTEN=127.0.0.1:$port
TENANT_BRIDGE__DATABASE__URL=$(ready 'r["databaseUrl"]')
TENANT_BRIDGE__ENTRA__CLIENT_SECRET=$(ready "($app)[\"secrets\"][0]")
TENANT_BRIDGE__LEDGER__FINGERPRINT_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
ENV
}

# As docs/setup-service.md says, on this machine's loopback, where the sandbox is.
run() { # podman run's options, the image, the command
  podman run --cgroup-parent "/$cgroup" --network host --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges \
    --volume "$work/settings:/etc/tenant-bridge:ro" "$@"
}

configured() { # what, expected
  local value
  value=$(podman image inspect --format "{{$1}}" localhost/tenant-bridge)
  printf '%s is %s, not %s\n' "$1" "$value" "$2"
  [ "$value" = "$2" ]
}

answers() { # status, path, curl's arguments
  local expected=$1 path=$2 got
  shift 2
  got=$(curl --silent --noproxy '*' --max-time 20 --output "$work/answer" --write-out '%{http_code}' "$@" \
    "http://127.0.0.1:$port$path")
  printf '%s answers %s, not %s: %s\n' "$path" "$got" "$expected" "$(head -c 2000 "$work/answer")"
  [ "$got" = "$expected" ]
}

mint_token() {
  curl --silent --fail --noproxy '*' --cacert "$(ready 'r["caFile"]')" "$(ready 'r["userToken"]')" --data '{
    "user": "acc1@domain1.com", "tenant": "domain1.com",
    "app": "portal", "api": "tenant-bridge", "scopes": ["Connections.ReadWrite"] }' |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["accessToken"])'
}

comes_up() {
  local tries
  run --detach --name "$container" --env-file "$work/environment" localhost/tenant-bridge
  for tries in $(seq 100); do
    if answers 200 /readyz; then return 0; fi
    [ "$(podman inspect --format '{{.State.Status}}' "$container")" = running ] || break
    sleep 0.1
  done
  podman logs "$container"
  return 1
}

# What the kernel says of the process.
status_is() { # line of /proc/<pid>/status, expected fields
  local pid line
  pid=$(podman inspect --format '{{.State.Pid}}' "$container")
  line=$(awk -v name="$1:" '$1 == name { $1 = ""; print substr($0, 2) }' "/proc/$pid/status")
  printf '%s is %s, not %s\n' "$1" "$line" "$2"
  [ "$line" = "$2" ]
}

nothing_can_be_written() {
  podman exec --user 0 "$container" sh -c '
    for folder; do
      (: >"$folder/written") 2>&1 | grep "Read-only file system" || { echo "$folder: not read-only"; exit 1; }
    done' sh / /tmp /var/tmp /run /etc /usr/local/bin /etc/tenant-bridge
}

has_no_tools() {
  run --rm --entrypoint sh localhost/tenant-bridge -c \
    'for tool in cc gcc ld cargo rustc curl git; do ! command -v $tool || exit 1; done'
}

# The variable that arms them is known to a program that has them.
has_no_failure_points() {
  run --rm --entrypoint sh localhost/tenant-bridge -c \
    'grep -q entra.client_secret "$0" && ! grep -q TENANT_BRIDGE_FAILURE_POINTS "$0"' /usr/local/bin/tenant-bridge
}

says_its_version() {
  local version
  version=$(run --rm localhost/tenant-bridge --version)
  configured 'index .Config.Labels "org.opencontainers.image.version"' "${version#tenant-bridge }"
}

refuses() { # what it must say, podman run's options and the command
  local what=$1 code=0
  shift
  run --rm "$@" >"$work/refusal" 2>&1 || code=$?
  printf 'exit code %s: %s\n' "$code" "$(cat "$work/refusal")"
  [ "$code" = 1 ] && grep --quiet --fixed-strings -- "$what" "$work/refusal"
}

# The settings that hold secrets; of the database's URL its password too, for that would be told without the rest.
secrets() {
  local url='s/^TENANT_BRIDGE__DATABASE__URL=[a-z]*:\/\/[^:@/]*:\([^@/]\{1,\}\)@.*/\1/p'
  sed --quiet 's/^TENANT_BRIDGE__\(DATABASE__URL\|ENTRA__CLIENT_SECRET\|LEDGER__FINGERPRINT_KEY\)=//p' "$work/environment"
  sed --quiet "$url" "$work/environment"
}

tells_no_secret() {
  local secret
  podman logs "$container" >"$work/log" 2>&1
  # One that is not found in the settings would never be found in the log.
  [ "$(secrets | grep --count .)" = 4 ] || { echo 'not all secrets are known' && return 1; }
  while IFS= read -r secret; do
    if grep --quiet --fixed-strings -- "$secret" "$work/log"; then
      echo 'a secret is in the log'
      return 1
    fi
  done < <(secrets)
}

ends_in_order() {
  local began=$SECONDS code
  podman stop --time 30 "$container"
  code=$(podman inspect --format '{{.State.ExitCode}}' "$container")
  printf 'exit code %s after %s s\n' "$code" $((SECONDS - began))
  podman logs --tail 5 "$container"
  [ "$code" = 0 ] && [ $((SECONDS - began)) -lt 10 ]
}

check_promises() {
  holds 'its user is a number, and not root' configured .Config.User 65532:65532
  holds 'it is stopped by SIGTERM' configured .Config.StopSignal SIGTERM
  holds 'its label and its program say the same version' says_its_version
  holds 'it holds no build tools' has_no_tools
  holds 'its program has no failure points' has_no_failure_points
  holds 'serve names every setting that is missing' refuses entra.client_secret localhost/tenant-bridge
  holds 'migrate without an owner says which setting is missing' refuses database.owner_url \
    --env-file "$work/environment" localhost/tenant-bridge migrate
  holds 'health without a service complains' refuses 'does not answer' --env-file "$work/environment" \
    localhost/tenant-bridge health
  holds 'it comes up with a read-only root and is ready' comes_up
  holds 'the process is an ordinary user' status_is Uid '65532 65532 65532 65532'
  holds 'it has no capability' status_is CapBnd 0000000000000000
  holds 'it can gain none' status_is NoNewPrivs 1
  holds 'nothing can be written, by root neither' nothing_can_be_written
  holds 'it lives' answers 200 /livez
  holds 'its health check says so' podman healthcheck run "$container"
  holds 'health needs no setting but the address' run --rm --env "TENANT_BRIDGE__SERVER__LISTEN=127.0.0.1:$port" \
    localhost/tenant-bridge health
  holds 'health --ready says that it is ready' podman exec "$container" tenant-bridge health --ready
  holds 'a caller without a token is refused' answers 401 /v1/connections
  holds 'a caller with a token is answered' answers 200 /v1/connections --header "Authorization: Bearer $token"
  holds 'its log tells no secret' tells_no_secret
  holds 'SIGTERM ends it in order within seconds' ends_in_order
}
