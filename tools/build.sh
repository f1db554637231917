#!/usr/bin/env bash
# Puts the pinned tools into .tools/bin: the Pulumi CLI, the Compose plugin and
# Caddy with its rate-limit module. Builds only what is missing or out of date.
# An official Pulumi of at least the pinned version is used instead of building.
# The clouds' own command lines, hcloud and doctl, are for the tests that drive
# the simulator with them; without them those are skipped. The OpenTelemetry
# Collector is for deployments that collect logs, and for the tests of these.
#
# Usage: tools/build.sh [pulumi|docker-compose|caddy|golangci-lint|gitleaks|hcloud|doctl|otelcol-contrib]...   (default: the first three)
set -euo pipefail
cd "$(dirname "$0")"
bin="$(cd .. && pwd)/.tools/bin"
mkdir -p "$bin"

say() { printf 'tools: %s\n' "$*" >&2; }

pinned() { go list -m -f '{{.Version}}' "$1"; }

# stamp identifies what a binary was built from.
stamp() { cat go.sum "$@" 2>/dev/null | sha256sum | cut -c1-16; }

# fresh NAME STAMP: the binary exists and was built from STAMP.
fresh() { [ -x "$bin/$1" ] && [ "$(cat "$bin/.$1.stamp" 2>/dev/null)" = "$2" ]; }

# build NAME STAMP COMMAND...: runs COMMAND unless NAME is fresh.
build() {
  local name=$1 want=$2 started=$SECONDS
  shift 2
  fresh "$name" "$want" && return
  say "building $name (minutes the first time, seconds afterwards)"
  "$@"
  echo "$want" >"$bin/.$name.stamp"
  say "built $name in $((SECONDS - started)) s"
}

newest() { printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1; }

pulumi() {
  local version official installed
  version=$(pinned github.com/pulumi/pulumi/pkg/v3)
  official=$(PATH=${PATH//$bin:/} type -P pulumi || true) # -P: the program, not this function
  if [ -n "$official" ]; then
    installed=$(PULUMI_SKIP_UPDATE_CHECK=true "$official" version)
    if [ "$(newest "$installed" "$version")" = "$installed" ]; then
      ln -sf "$official" "$bin/pulumi"
      rm -f "$bin/.pulumi.stamp" # the link is not what was built here
      say "using the installed Pulumi $installed"
      return
    fi
    say "the installed Pulumi $installed is older than $version"
  fi
  [ ! -L "$bin/pulumi" ] || rm "$bin/pulumi" # to one that was installed once, and is not wanted now
  # The Automation API rejects a CLI whose version is not stamped.
  build pulumi "$(stamp go.mod)" go build -o "$bin/pulumi" \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" \
    github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
}

docker-compose() {
  # Static: it is copied into hosts whose C library we do not choose.
  build docker-compose "$(stamp go.mod)" env CGO_ENABLED=0 go build -o "$bin/docker-compose" \
    -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$(pinned github.com/docker/compose/v2)" \
    github.com/docker/compose/v2/cmd
}

caddy() {
  build caddy "$(stamp go.mod caddy/*.go)" env CGO_ENABLED=0 go build -o "$bin/caddy" -ldflags "-s -w" ./caddy
}

# The agent of deployments with logs; nothing else needs it.
otelcol-contrib() {
  build otelcol-contrib "$(stamp otelcol/go.mod otelcol/go.sum otelcol/*.go)" env CGO_ENABLED=0 \
    go build -C otelcol -o "$bin/otelcol-contrib" -ldflags "-s -w" .
}

golangci-lint() {
  build golangci-lint "$(stamp lint/go.mod lint/go.sum)" go build -C lint -o "$bin/golangci-lint" \
    -ldflags "-s -w" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
}

gitleaks() {
  build gitleaks "$(stamp gitleaks/go.mod gitleaks/go.sum)" go build -C gitleaks -o "$bin/gitleaks" \
    -ldflags "-s -w" github.com/zricethezav/gitleaks/v8
}

# Of modules of their own, with their own requirements: the checksum database
# vouches for them, not go.sum.
hcloud() {
  build hcloud v1.67.0 env GOBIN="$bin" go install -ldflags "-s -w" github.com/hetznercloud/cli/cmd/hcloud@v1.67.0
}

doctl() {
  build doctl v1.141.0 env GOBIN="$bin" go install -ldflags "-s -w" github.com/digitalocean/doctl/cmd/doctl@v1.141.0
}

[ $# -gt 0 ] || set -- pulumi docker-compose caddy
for tool in "$@"; do
  case $tool in
  pulumi | docker-compose | caddy | golangci-lint | gitleaks | hcloud | doctl | otelcol-contrib) "$tool" ;;
  *) say "unknown tool $tool (want pulumi, docker-compose, caddy, golangci-lint, gitleaks, hcloud, doctl or otelcol-contrib)" && exit 2 ;;
  esac
done
