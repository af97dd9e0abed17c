# The two base images, and the image of the service on them. Sourced by `check`.

# The Debian mirror that this machine's own apt uses.
mirror() {
  local uri
  uri=$(debian_uris | head -n 1)
  if [ -z "$uri" ]; then
    apt-get -qq update >&2
    uri=$(debian_uris | head -n 1)
  fi
  # On another distribution apt knows none.
  echo "${uri:-http://deb.debian.org/debian}"
}

debian_uris() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $release"
}

make_base() { # name, extra packages (a,b), podman's --change…
  local name=$1 extra=$2 root=$work/root
  shift 2
  mkdir -p "$work/packages" "$root"
  # In memory: dpkg waits for the disk after each file.
  mount -t tmpfs -o size=2g,mode=755 tmpfs "$root"
  debootstrap --variant=minbase ${extra:+--include="$extra"} --cache-dir="$work/packages" "$release" "$root" "$(mirror)"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar --directory "$root" --create . | podman import "$@" - "localhost/$name"
  umount "$root"
}

make_run_base() {
  make_base run-base ''
}

# The rest of what official Rust images have, the toolchain and the crates, is mounted at build time from where it is here.
make_build_base() {
  make_base build-base ca-certificates,gcc,libc6-dev \
    --change 'ENV PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV CARGO_HOME=/usr/local/cargo' \
    --change 'ENV CARGO_NET_OFFLINE=true'
}

build_image() {
  local cargo_home=${CARGO_HOME:-$HOME/.cargo} settings=() name
  # Its crates are found again only with the settings that they were fetched with: a mirror is part of their folder's name.
  for name in config.toml config; do
    [ ! -f "$cargo_home/$name" ] || settings+=(--volume "$cargo_home/$name:/usr/local/cargo/$name:ro")
  done
  podman build --isolation chroot --format docker --pull=never --network host \
    --volume "$(rustc --print sysroot):/usr/local/rust:ro" \
    --volume "$cargo_home/registry:/usr/local/cargo/registry:ro" "${settings[@]}" \
    --build-arg BUILD_IMAGE=localhost/build-base --build-arg RUN_IMAGE=localhost/run-base \
    --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --tag localhost/tenant-bridge .
}

size_of() { # image, or what was added to its base; in MB
  local all base
  all=$(podman image inspect --format '{{.Size}}' localhost/tenant-bridge)
  base=$(podman image inspect --format '{{.Size}}' localhost/run-base)
  if [ "$1" = image ]; then base=0; fi
  echo $(((all - base) / 1000000))
}
