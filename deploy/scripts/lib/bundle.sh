# shellcheck shell=bash
# bundle.sh takes a bundle from stdin and puts it where a release lives.

# receive DIGEST FILE reads header lines, an empty line and a tar, by gzip and in
# base64, and writes the tar. A stream cut short fails here, before anything changes.
receive() {
  local digest=$1 file=$2 line want=''
  while IFS= read -r line && [ -n "$line" ]; do
    case $line in
    'sha256 '*) want=${line#sha256 } ;;
    '# server '* | 'addresses '*) ;;
    *) die "release $digest: unknown header in the bundle" ;;
    esac
  done
  base64 -d | gzip -d >"$file" || die "release $digest: the bundle arrived damaged, or could not be written; said above"
  [ "$(sha256sum <"$file" | cut -d ' ' -f 1)" = "$want" ] || die "release $digest: the bundle arrived damaged or incomplete"
}

# unpack DIGEST FILE makes releases/DIGEST and the configuration directories
# that it names, each at once or not at all.
unpack() {
  local digest=$1 file=$2 new=$releases/.$1.new config
  if [ -d "$releases/$digest" ] && [ -z "$(missing_configs "$digest")" ]; then
    return 0
  fi
  rm -rf "$new"
  install -d -m 0700 "$new"
  # What a container's user must read is readable by mode; the directory above
  # is closed to everybody but root.
  (umask 022 && tar --extract --file "$file" --directory "$new" --numeric-owner --same-owner --preserve-permissions)
  [ "$(sed -n 's/^format //p' "$new/manifest")" = 1 ] || die "release $digest: unknown manifest format"
  [ "$(sed -n 's/^digest //p' "$new/manifest")" = "$digest" ] || die "release $digest: the manifest names another digest"
  for config in $(release_configs ".$digest.new"); do
    [ ! -e "$state/$config" ] || continue
    mkdir -p "$state/${config%/*}"
    rm -rf "$state/$config.new"
    mv -T "$new/config/${config##*/}" "$state/$config.new"
    mv -T "$state/$config.new" "$state/$config"
  done
  rm -rf "$new/config" "${releases:?}/$digest"
  mv -T "$new" "$releases/$digest"
}

# release_configs DIGEST prints a release's configuration directories, relative
# to $state: those that are mounted, and those that are reloaded.
release_configs() {
  {
    grep -o '/var/lib/construct/config/[A-Za-z0-9._-]*' "$releases/$1/compose.yaml" | sed 's|^/var/lib/construct/||' || true
    manifest "$1" reload | sed 's|^\([^ ]*\) \([^ ]*\) .*|live/\1/\2|'
  } | sort -u
}

missing_configs() {
  local config
  release_configs "$1" | while read -r config; do
    [ -d "$state/$config" ] || say "$config"
  done
}

# prepare DIGEST checks the volume and makes the data directories. Containers
# must never start on the directory under a missing mount.
prepare() {
  local digest=$1 mount mode uid gid path
  while read -r mount; do
    mountpoint -q "$root$mount" ||
      die "release $digest: the data volume is not mounted at $mount; nothing was changed; see systemctl status srv-construct.mount"
  done < <(manifest "$digest" mount)
  while read -r mode uid gid path; do
    mkdir -p "$root$path"
    chown "$uid:$gid" "$root$path"
    chmod "$mode" "$root$path"
  done < <(manifest "$digest" dir)
}
