# shellcheck shell=bash
# live.sh changes the configuration of services that reload it, so that their
# containers stay. Such a service mounts $live/SERVICE, a directory that is never
# replaced, and runs by what the link "current" in it names. The manifest says
# so: "reload SERVICE CONFIGURATION COMMAND…".

live=$state/live
reload_seconds=60

# switch_live DIGEST makes the release's configurations current, each at once.
# A container that is made anew from here on starts with them.
switch_live() {
  local service name
  while read -r service name _; do
    [ -n "$service" ] || continue
    ln -sfn "$name" "$live/$service/.current.new" &&
      mv -fT "$live/$service/.current.new" "$live/$service/current" || return 1
  done < <(manifest "$1" reload)
}

# reload_live DIGEST has running services take what is current, or sets unwell.
# One that runs by it already does nothing; one that refuses runs as before.
reload_live() {
  local service id words
  while read -r service _ words; do
    [ -n "$service" ] || continue
    id=$(containers | sed -n "s/^$service .* //p" | head -n 1)
    # shellcheck disable=SC2086 # the manifest's words hold no space
    timeout --kill-after=10 "$reload_seconds" docker exec "$id" $words </dev/null >>"$run/compose.log" 2>&1 || {
      unwell="$service refused its new configuration"
      return 1
    }
  done < <(manifest "$1" reload)
}
