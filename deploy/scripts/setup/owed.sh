# shellcheck shell=bash
# owed.sh remembers what a changed file makes necessary, a restart or a reload,
# until it is done. A set-up that fails in between leaves a host whose files are
# all as they should be, and whose services have not read them: the next one asks
# here, not the files. A boot does all of it, and empties /run.

owed=$run/owed

# change WORK FILE MODE writes stdin to FILE. If that changes it, WORK is owed.
change() {
  install -d -m 0700 "$owed"
  replace "$2" "$3" "$owed/$1" || true
}

# owe WORK: it has to be done.
owe() { install -d -m 0700 "$owed" && : >"$owed/$1"; }

# settle WORK COMMAND… does it, if it is owed. It stays owed if it fails.
settle() {
  [ -e "$owed/$1" ] || return 0
  "${@:2}" || return
  rm -f "$owed/$1"
}
