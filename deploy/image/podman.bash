# Podman with storage, settings and state of this run alone. Sourced by `check`.

packages=(podman runc debootstrap debian-archive-keyring curl python3)

install_tools() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep --quiet --line-regexp installed ||
      missing+=("$package")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"
  fi
  configure_podman
}

configure_podman() {
  mkdir "$work/podman" "$work/images" "$work/state" "$work/var" "$work/run"
  # Beside its storage podman keeps a cache and a lock in fixed places; here they are this run's.
  mkdir -p /var/lib/containers /run/containers
  mount --bind "$work/var" /var/lib/containers
  mount --bind "$work/run" /run/containers
  cat >"$work/containers.conf" <<CONF
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
tmp_dir = "$work/podman"
[containers]
# Not above what is here: raising them takes a right that root in a sandbox may lack.
default_ulimits = ["nofile=$(limit -n 65536)", "nproc=$(limit -u 32768)"]
CONF
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$work/policy.json"
  cat >"$work/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$work/images"
runroot = "$work/state"
CONF
  export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
  # No timers of systemd: the health check runs when it is asked to.
  export DISABLE_HC_SYSTEMD=true
  if ! command podman info >/dev/null; then
    # A file system that overlays can't lie on: slower, with whole copies of each layer.
    sed --in-place 's/"overlay"/"vfs"/' "$work/storage.conf"
    rm -rf "$work/images" "$work/podman"
    mkdir "$work/images" "$work/podman"
    command podman info >/dev/null
  fi
}

# As podman writes a limit: this process's own, and at most so many.
limit() { # ulimit's flag, most
  local now
  now=$(ulimit -H "$1")
  if [ "$now" = unlimited ] || [ "$now" -gt "$2" ]; then now=$2; fi
  echo "$now:$now"
}

# Ends what runs and unmounts what the storage mounted.
remove_containers() {
  podman ps --all --quiet | xargs --no-run-if-empty podman rm --force --time 0
  # Deepest first, for a folder with something mounted in it can't go.
  awk -v work="$work" 'index($5, work "/") == 1 { print $5 }' /proc/self/mountinfo | sort --reverse |
    xargs --no-run-if-empty --max-args=1 umount --lazy
  find /sys/fs/cgroup -mindepth 1 -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null
}
