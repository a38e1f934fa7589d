# shellcheck shell=bash
# What prepare.sh says, and whether it has found something that will not work.

failures=0 warnings=0

ok() { printf '  ok    %s\n' "$*"; }
note() { printf '        %s\n' "$*"; }
warn() { printf '  WARN  %s\n' "$*"; warnings=$((warnings + 1)); }
fail() { printf '  FAIL  %s\n' "$*"; failures=$((failures + 1)); }
section() { printf '%s\n' "$*"; }

# Ends the program at once: nothing sensible can follow.
stop() {
  printf 'prepare.sh: %s\n' "$*" >&2
  exit 2
}

finish_report() {
  if [ "$failures" -gt 0 ]; then
    section "$failures of these must be put right first."
    return 1
  fi
  if [ "$warnings" -gt 0 ]; then
    section "Ready, with $warnings warnings. Next: docker compose up"
  else
    section 'Ready. Next: docker compose up'
  fi
}
