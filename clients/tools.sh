# What clients/generate, clients/test and clients/test-others have in common. To be sourced in the tree's root.
# Tools are installed once for each change of their pins.

# installed FOLDER PINS…: whether the folder was filled from just these pins
installed() {
  local folder=$1
  shift
  [ "$(cat "$folder/.pins" 2>/dev/null)" = "$(cat "$@" | cksum)" ]
}

# Node 20 or later: the generator, the compiler and its types.
node_tools() (
  cd clients/typescript
  installed node_modules package.json package-lock.json && return
  npm ci --ignore-scripts --loglevel=error >&2
  cat package.json package-lock.json | cksum >node_modules/.pins
)

# Python 3.10 or later: the generator, the type checker and what the client itself needs.
python_tools() (
  cd clients/python
  installed .venv requirements.txt && return
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt >&2
  cat requirements.txt | cksum >.venv/.pins
)

# begin: a folder `work` for this run, gone at its end, and counts of what passed and failed in it.
begin() {
  passed=0 failed=0 sandbox=
  work=$(mktemp -d)
  trap finish EXIT
}

finish() {
  # The sandbox ends its Postgres itself, and removes its files.
  [ -z "$sandbox" ] || { kill "$sandbox" && wait "$sandbox"; } 2>/dev/null || true
  chmod -R u+w "$work" && rm -rf "$work"
}

count() { # name, command…
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1)) && echo "ok - $name"
  else
    failed=$((failed + 1)) && echo "not ok - $name"
  fi
}

# sandbox_starts: a sandbox, described by `$work/ready.json`
sandbox_starts() {
  local line
  mkfifo "$work/line"
  "${CARGO_TARGET_DIR:-target}/debug/sandbox" --json --log error >"$work/line" &
  sandbox=$!
  # Reading ends at once if the sandbox could not start.
  read -r line <"$work/line" || { echo 'the sandbox did not start' && exit 1; }
  printf '%s\n' "$line" >"$work/ready.json"
}

play() { # name, command…: adds the steps that the scenario counts
  local name=$1 output=$work/$1.log sum
  shift
  "$@" | tee "$output" | grep -E -v '^[0-9]+ passed, [0-9]+ failed$' || true
  sum=$(tail -n 1 "$output")
  if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1)) && echo "not ok - $name: the scenario ended before its time"
  fi
}

end() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
