# shellcheck shell=bash
# state.sh: what is on this host. A release is a directory named by its digest:
# manifest, compose.yaml, env/. "current" points at the last one that got
# healthy. history has one line per attempt, tab-separated: time, who, action,
# digest, commit, result.

releases=$state/releases
history=$state/history
# shellcheck disable=SC2034 # stores.sh writes it, status.sh reads it
interruptions=$state/interruptions
project=construct

current_digest() {
  local target
  target=$(readlink "$state/current") || return 1
  say "${target##*/}"
}

set_current() {
  ln -sfn "releases/$1" "$state/.current.new"
  mv -fT "$state/.current.new" "$state/current"
}

record() { # ACTION DIGEST COMMIT RESULT
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$CONSTRUCT_WHO" "$1" "$2" "${3:--}" "$4" >>"$history"
}

# earlier_releases prints the current release and what it replaced, step by
# step, last first. Going back forgets what was left behind: going back again
# goes further, never to the release that somebody fled from.
earlier_releases() {
  [ -e "$history" ] || return 0
  awk -F '\t' '
    $6 != "ok" { next }
    {
      for (at = 1; at <= depth && stack[at] != $4; at++);
      if ($3 == "rollback" && at <= depth) { depth = at; next }
      for (; at < depth; at++) stack[at] = stack[at + 1]
      if (at > depth) depth++
      stack[depth] = $4
    }
    END { for (; depth; depth--) print stack[depth] }' "$history" | still_here
}

# good_releases prints every digest that got healthy and is still here, those
# of earlier_releases first, each once.
good_releases() {
  {
    earlier_releases
    awk -F '\t' '$6 == "ok" { print $4 }' "$history" 2>/dev/null | tac | still_here
  } | awk '!seen[$0]++'
}

still_here() {
  local digest
  while read -r digest; do
    [ ! -d "$releases/$digest" ] || say "$digest"
  done
}

# previous_release prints the release that the given one replaced.
previous_release() { earlier_releases | grep -v -x -F "$1" | head -n 1; }

# commit_of DIGEST prints the commit that a release was made from.
commit_of() {
  awk -F '\t' -v digest="$1" '$4 == digest && $5 != "-" { commit = $5 } END { print commit }' "$history" 2>/dev/null
}

# manifest DIGEST KIND prints the manifest's lines of one kind, without it.
manifest() { sed -n "s/^$2 //p" "$releases/$1/manifest"; }

# What Compose has started beside the services that a release declares: stand-ins.
one_off=label=com.docker.compose.oneoff=

# containers prints one line per container of the fleet, newest first: service,
# state, exit code, restarts, health, when it started, oom, id.
containers() { containers_with "label=com.docker.compose.project=$project"; }

# published is containers without stand-ins.
published() { containers_with "label=com.docker.compose.project=$project" --filter "${one_off}False"; }

containers_with() {
  local ids
  mapfile -t ids < <(docker ps --all --quiet --no-trunc --filter "$@")
  ((${#ids[@]} > 0)) || return 0
  docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{with .State.Health}}{{.Status}}{{else}}none{{end}} {{.State.StartedAt}} {{.State.OOMKilled}} {{.ID}}' \
    "${ids[@]}" 2>/dev/null || true
}

status() {
  local digest name image config kind service container_state code restarts health rest holder
  say "host $(host_name)"
  holder=$(lock_holder)
  [ -z "$holder" ] || say "lock $holder"
  docker version >/dev/null 2>&1 || warn 'Docker does not answer: what runs is not known. See systemctl status docker'
  if ! digest=$(current_digest); then
    say 'release none'
    return
  fi
  say "release $digest"
  say "since $(awk -F '\t' -v d="$digest" '$4 == d && $6 == "ok" { t = $1 } END { print t }' "$history" 2>/dev/null)"
  local running
  running=$(containers)
  while read -r name image config kind; do
    rest='missing - -'
    while read -r service container_state code restarts health _; do
      [ "$service" != "$name" ] || rest="$container_state $health $restarts"
    done <<<"$running"
    say "service $name $rest $image $config $kind"
  done < <(manifest "$digest" service)
  sed 's/^/interruption /' "$interruptions" 2>/dev/null || true
}

service_logs() {
  local service=${1:-} id
  [ -n "$service" ] || die 'logs: which service?'
  shift
  id=$(docker ps --all --quiet --latest --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$service")
  [ -n "$id" ] || die "no container of service '$service'"
  docker logs "$@" "$id"
}
