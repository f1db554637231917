# shellcheck shell=bash
# common.sh is what set-up and construct-release share: paths, messages, the
# lock, and running long work where a cut connection cannot reach it.

# CONSTRUCT_ROOT moves every path below another directory.
root=${CONSTRUCT_ROOT:-}
etc=$root/etc/construct
# shellcheck disable=SC2034 # not every script that sources this looks there
state=$root/var/lib/construct
run=$root/run/construct
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
# die MESSAGE ends the script, naming the host.
die() {
  warn "$(host_name): $*"
  exit 1
}

host_name() { cat "$etc/name" 2>/dev/null || hostname; }

# replace FILE MODE [MARK…] writes stdin to FILE, atomically; false if it already
# says so. The empty files MARK are there before it changes.
replace() {
  local new
  new=$(mktemp "$(dirname "$1")/.new.XXXXXX")
  cat >"$new"
  if cmp -s "$new" "$1"; then
    rm -f "$new"
    return 1
  fi
  chmod "$2" "$new"
  (($# < 3)) || touch "${@:3}"
  mv -f "$new" "$1"
}

# retry TIMES COMMAND… waits 2, 4, 8 … seconds between attempts.
retry() {
  local times=$1 pause=2
  shift
  until "$@"; do
    times=$((times - 1))
    ((times > 0)) || return 1
    sleep "$pause"
    pause=$((pause * 2))
  done
}

# caller says who is at the other end of the SSH connection: the comment of
# the key that logged in. sshd tells by ExposeAuthInfo; sudo hides it from the
# environment, but not from root looking at its own ancestors.
caller() {
  local from key comment=''
  from=$(of_session SSH_CONNECTION)
  key=$(caller_key)
  [ -z "$key" ] || comment=$(awk -v key="$key" '
    { for (i = 1; i < NF; i++) if ($i == key && !found++) { $0 = substr($0, index($0, key) + length(key) + 1); print } }
    ' "$root"/home/*/.ssh/authorized_keys 2>/dev/null | tr -c '[:alnum:]@._\n-' '_') || true
  say "${comment:-${SUDO_USER:-$(id -un)}}${from:+ from ${from%% *}}"
}

# caller_key is the key that logged in, in base64; nothing if sshd does not say.
caller_key() {
  local info
  info=$(of_session SSH_USER_AUTH)
  [ ! -r "$info" ] || sed -n 's/^publickey [^ ]* \([^ ]*\).*/\1/p' "$info" | head -n 1
}

# over_ssh tells whether there is somebody at the other end of a connection.
over_ssh() { [ -n "$(of_session SSH_CONNECTION)" ]; }

# of_session NAME is the variable that sshd set for this session, as the nearest
# process has it that still does.
of_session() {
  local pid=$$ value=''
  while ((pid > 1)); do
    value=$(environ_of "$pid" "$1")
    [ -z "$value" ] || break
    pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status")
  done
  say "$value"
}

environ_of() {
  { tr '\0' '\n' <"/proc/$1/environ" | sed -n "s/^$2=//p" | head -n 1; } 2>/dev/null || true
}

# with_lock SECONDS WHAT COMMAND… runs COMMAND alone on this host. Whoever
# waits or gives up is told who holds the lock, since when and for what.
with_lock() {
  local seconds=$1 what=$2 code=0
  shift 2
  install -d -m 0700 "$run"
  exec 9>>"$run/lock"
  if ! flock -n 9; then
    say "waiting for the lock held by $(cat "$run/holder" 2>/dev/null || say somebody)"
    flock -w "$seconds" 9 || die "gave up after $seconds seconds: the lock is held by $(cat "$run/holder" 2>/dev/null || say somebody)"
  fi
  say "$CONSTRUCT_WHO, since $(date -u +%FT%TZ), for $what" >"$run/holder"
  "$@" 9>&- || code=$?
  rm -f "$run/holder"
  exec 9>&-
  return "$code"
}

# lock_holder prints who holds the lock, if somebody does. A holder that was
# killed leaves its note behind, but not the lock.
lock_holder() {
  [ -s "$run/holder" ] || return 0
  flock -n "$run/lock" true || cat "$run/holder"
}

# detached UNIT SECONDS COMMAND… runs COMMAND as a systemd unit for at most
# SECONDS, waits, and passes its output and exit code on. The unit outlives the
# connection; calling again while it runs waits for the same unit. What it waits
# for is said at once, its output when it is over.
detached() {
  local unit=$1 seconds=$2 dir=$run/$1 code=0 holder
  shift 2
  install -d -m 0700 "$run" "$dir"
  holder=$(lock_holder)
  [ -z "$holder" ] || warn "$(host_name): the lock is held by $holder"
  if systemctl --quiet is-active "$unit.service"; then
    warn "$(host_name): $unit runs already; waiting for it"
  else
    rm -f "$dir"/exit
    # shellcheck disable=SC2016 # the inner bash expands
    systemd-run --quiet --collect --wait --unit="$unit" --service-type=exec \
      --setenv=CONSTRUCT_WHO="$CONSTRUCT_WHO" --setenv=HOME=/root \
      --property=RuntimeMaxSec="$seconds" --property=OOMScoreAdjust=-500 \
      --property=StandardOutput="truncate:$dir/stdout" --property=StandardError="truncate:$dir/stderr" \
      "$BASH" -c '"${@:2}"; code=$?; echo "$code" >"$1"; exit "$code"' detached "$dir/exit" "$@" || code=$?
  fi
  while systemctl --quiet is-active "$unit.service"; do sleep 0.3; done
  [ -s "$dir/exit" ] && code=$(cat "$dir/exit")
  cat "$dir/stdout" || true
  cat "$dir/stderr" >&2 || true
  [ -s "$dir/exit" ] || {
    warn "$(host_name): $unit did not come to its end: it was killed, or took more than $seconds seconds; see journalctl -u $unit"
    code=${code/#0/1}
  }
  return "$code"
}
