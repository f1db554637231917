# shellcheck shell=bash
# status.sh tells what is on this host, line by line, for a program that
# compares it with what should be (`construct status`). A line is a word that
# says what it is, then its fields; what may hold spaces comes last, or is
# separated by tabs as in the history. Nothing in it is secret.

# Docker that does not answer must not keep the caller waiting.
ask_seconds=10

facts() {
  local digest holder
  say 'format 1'
  say "host $(host_name)"
  holder=$(lock_holder)
  [ -z "$holder" ] || say "lock $holder"
  "${CONSTRUCT_FIREWALL:-/usr/local/sbin/construct-firewall}" loaded 2>/dev/null | sed 's/^/firewall /' || true
  disk_facts
  if digest=$(current_digest); then
    release_facts "$digest"
  else
    say 'release none'
  fi
  [ ! -s "$history" ] || say "last $(tail -n 1 "$history")"
  container_facts || say 'docker silent'
}

# release_facts DIGEST: the current release, who put it there, and what it is
# made of.
release_facts() {
  local path state=''
  say "release $1"
  awk -F '\t' -v digest="$1" '$4 == digest && $6 == "ok" && $3 != "restore" { found = $0 } END { if (found) print "deployed " found }' "$history" 2>/dev/null || true
  manifest "$1" service | sed 's/^/service /'
  sed 's/^/started /' "$releases/$1/started" 2>/dev/null || true
  sed 's/^/interruption /' "$interruptions" 2>/dev/null || true
  while read -r path; do
    state=missing
    ! mountpoint -q "$root$path" || state=mounted
    say "mount $path $state"
  done < <(manifest "$1" mount)
}

# disk_facts prints, for the root and the data volume, how full they are in
# percent: blocks and inodes. A file system without inodes of its own says 0.
disk_facts() {
  df --output=pcent,ipcent,target "$root/" "$root/srv/construct" 2>/dev/null |
    awk 'NR > 1 && !seen[$3]++ { gsub("%", ""); print "disk", $3, $1, ($2 == "-" ? 0 : $2) }' || true
}

# container_facts prints every container of the fleet: service, state, health,
# restarts, exit code, oom, id, the image's id, the image as it was asked for,
# Compose's hash of the configuration; and every image of theirs: id, then its
# names by digest. It fails when Docker does not answer.
container_facts() {
  local ids images containers
  mapfile -t ids < <(timeout "$ask_seconds" docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project")
  if ((${#ids[@]} == 0)); then
    timeout "$ask_seconds" docker version >/dev/null 2>&1
    return
  fi
  # One that is removed meanwhile is left out.
  containers=$(timeout "$ask_seconds" docker inspect --format '{{with index .Config.Labels "com.docker.compose.service"}}{{.}}{{else}}-{{end}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{else}}none{{end}} {{.RestartCount}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.Id}} {{.Image}} {{.Config.Image}} {{with index .Config.Labels "com.docker.compose.config-hash"}}{{.}}{{else}}-{{end}}' \
    "${ids[@]}" 2>/dev/null) || [ -n "$containers" ] || return 1
  awk '{ print "container", $0 }' <<<"$containers"
  mapfile -t images < <(cut -d ' ' -f 8 <<<"$containers" | sort -u)
  timeout "$ask_seconds" docker image inspect --format 'image {{.Id}}{{range .RepoDigests}} {{.}}{{end}}' "${images[@]}" 2>/dev/null || true
}

# note_started DIGEST writes down what the release's containers were made from,
# so that one which somebody makes anew by hand is noticed: service, Compose's
# hash, the image's id.
note_started() {
  container_facts | awk '$1 == "container" { print $2, $11, $9 }' | sort -u >"$releases/.started.new" &&
    mv -f "$releases/.started.new" "$releases/$1/started"
}
