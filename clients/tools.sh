# Installs what clients/generate and clients/test need, once for each change of its pins. To be sourced in the tree's root.

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
