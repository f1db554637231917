# shellcheck shell=bash
# report.sh tells why a release did not work, without telling secrets.

# At most so many services are reported in full.
report_services=3
log_lines=30
# Of a line, so many bytes. It is cut when nothing is secret in it any more: half
# of a secret is not recognised.
line_bytes=500

# report DIGEST REASONS prints, for each service that is not well, its state,
# exit code, last health check output and last log lines.
report() {
  local digest=$1 reasons=$2 name count=0
  grep -v -E '^ (Network|Volume|Container) .* [A-Z][a-z]+ *$' "$run/compose.log" | tail -n 15 |
    sed 's/^/docker compose: /' | mask "$digest" >&2
  while read -r name _; do
    [ -n "$name" ] || continue
    count=$((count + 1))
    ((count <= report_services)) || continue
    report_service "$digest" "$name" >&2
  done <<<"$reasons"
  ((count <= report_services)) || warn "and $((count - report_services)) more services are not healthy"
}

report_service() {
  local digest=$1 name=$2 line status code restarts health id
  line=$(container_of "$digest" "$name")
  if [ -z "$line" ]; then
    say "host $(host_name), service $name: no container"
    return
  fi
  read -r _ status code restarts health _ _ id <<<"$line"
  say "host $(host_name), service $name: state $status, exit code $(last_exit "$id" "$code"), restarts $restarts, health $health"
  say "  image $(manifest "$digest" service | sed -n "s/^$name \([^ ]*\) .*/\1/p")"
  docker inspect --format '{{with .State.Health}}{{range .Log}}{{.ExitCode}} {{printf "%q" .Output}}{{"\n"}}{{end}}{{end}}' "$id" |
    sed '/^$/d' | tail -n 1 | mask "$digest" | cut -b "1-$line_bytes" | sed 's/^/  last health check: exit code /'
  say "  last $log_lines log lines:"
  docker logs --tail "$log_lines" "$id" 2>&1 | mask "$digest" | cut -b "1-$line_bytes" | sed 's/^/  | /'
}

# container_of DIGEST SERVICE prints the line, of containers, of the one that is of
# the release, of several that run; if none is, of the newest.
container_of() {
  local image config own
  image=$(manifest "$1" service | awk -v service="$2" '$1 == service { print $2 }')
  config=$(manifest "$1" roll | awk -v service="$2" '$1 == service { print $2 }')
  own=$(instances "$2" | awk -v image="$image" -v config="$config" '$2 == image && (config == "" || $3 == config) { print $1; exit }')
  containers | awk -v service="$2" -v own="$own" '
    $1 == service && (best == "" || $NF == own) { best = $0 }
    END { if (best != "") print best }'
}

# mask DIGEST replaces, in what passes through, every secret of the release. Byte
# by byte: not everything that is printed is text.
mask() {
  LC_ALL=C awk -v file=<(LC_ALL=C secrets "$1") -f "$lib/mask.awk"
}

# secrets DIGEST prints what must not be shown, longest first: the values of
# env files, passwords within their URLs, and of every other file of the release
# that not everybody may read the words, and the whole of what its key calls
# secret. Each as it is, and as programs write it between quotes: in Rust and Go,
# and as Go's JSON does.
secrets() {
  local dir=$releases/$1
  {
    sed -n 's/^[A-Za-z_][A-Za-z0-9_]*=//p' "$dir"/env/*.env 2>/dev/null | sed 's/^"\(.*\)"$/\1/; s/^'"'"'\(.*\)'"'"'$/\1/'
    sed -n 's|.*://[^:/@]*:\([^@]*\)@.*|\1|p' "$dir"/env/*.env 2>/dev/null
    secret_files "$1" | tr -s "[:space:]\"'=,:;><" '\n' | awk 'length >= 16'
    secret_files "$1" | sed -n -E 's/^[ -]*[a-z_]*(auth|password|secret|token|url)[a-z_]*: *"(.*)"$/\2/p' | sed 's/\\\(["\\]\)/\1/g'
    # Compose writes a dollar sign as two.
    sed -n '/\$\$/ { s/^[A-Za-z_][A-Za-z0-9_]*=//; s/\$\$/$/g; p }' "$dir"/env/*.env 2>/dev/null
    # A secret's lines, when it has several.
    awk '/-----BEGIN/ { p = 1 } p && length >= 16; /-----END/ { p = 0 }' "$dir"/env/*.env 2>/dev/null
  } | sed 'p; s/["\\]/\\&/g' | sed 'p; s/&/\\u0026/g; s/</\\u003c/g; s/>/\\u003e/g' |
    awk 'length >= 8 && !seen[$0]++ { print length "\t" $0 }' | sort -r -n | cut -f 2-
}

# secret_files DIGEST prints the release's configuration files that not everybody
# may read.
secret_files() {
  local name
  release_configs "$1" | while read -r name; do
    find "$state/$name" -type f ! -perm -o=r -exec cat {} +
  done
}
