# shellcheck shell=bash
# prune.sh removes what no kept release needs. Kept are the current release
# and the last good ones; a directory that is not in the history is kept for
# whoever looks into a failure until the next good release.

keep_releases=3

prune_releases() {
  local current digest name image dir images configs
  local -A kept=() kept_images=() kept_configs=()
  current=$(current_digest) || return 0
  for digest in $({ say "$current"; good_releases; } | awk '!seen[$0]++ && ++n <= keep' keep="$keep_releases"); do
    # What cannot be read may be needed: then nothing is removed.
    images=$(release_images "$digest") && configs=$(release_configs "$digest") || return 1
    kept[$digest]=1
    for image in $images; do kept_images[$image]=1; done
    for name in $configs; do kept_configs[$name]=1; done
  done
  [ -n "${kept[$current]:-}" ] || return 1
  for dir in "$releases"/*/; do
    digest=${dir%/} digest=${digest##*/}
    if [ ! -d "$dir" ] || [ -n "${kept[$digest]:-}" ]; then continue; fi
    for image in $(release_images "$digest"); do
      [ -n "${kept_images[$image]:-}" ] || docker image rm "$image" >/dev/null 2>&1 || true
    done
    rm -rf "${releases:?}/$digest"
  done
  for dir in "$state"/config/* "$live"/*/*; do
    # Not the link to what is current, which itself is kept.
    [ -L "$dir" ] || [ -n "${kept_configs[${dir#"$state/"}]:-}" ] || rm -rf "$dir"
  done
  # What was being unpacked when the power went, secrets included.
  rm -rf "$releases"/.*.new
  # What a client left that was cut off; a waiting one's bundle is younger.
  find "$state/incoming" -type f -mmin +120 -delete
  find "$run" -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec rm -rf {} +
  docker image prune --force >/dev/null 2>&1 || true
}

# release_images DIGEST prints the images that a release runs, each once.
release_images() { sed -n 's/^service [^ ]* \([^ ]*\) .*/\1/p' "$releases/$1/manifest" | sort -u; }
