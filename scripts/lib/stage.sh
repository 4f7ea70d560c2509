# Stages: named steps with a log, a heartbeat, a time each, and a table of them at the end.
# shellcheck shell=bash disable=SC2154  # the three variables of the caller
#
# The caller sets stage_logs (a directory), stage_rerun (the command that, given a stage's
# name, runs it alone) and stage_keep_going (yes: a failed stage does not end the script).

stage_names=()
stage_times=()
stage_failures=()

# stage NAME COMMAND...: runs it with its output in $stage_logs/NAME.log and shows the log's
# tail if it fails.
stage() {
  local name=$1 log=$stage_logs/$1.log start=$SECONDS status
  shift
  mkdir -p "$stage_logs"
  printf '== %s\n' "$name"
  stage_heartbeat $$ "$log" "$start" &
  stage_heartbeat_pid=$!
  set +e  # and -e again in the subshell: inside `if` or `||` bash would ignore it
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  stage_stop_heartbeat
  stage_names+=("$name")
  stage_times+=($((SECONDS - start)))
  if [ "$status" -eq 0 ]; then
    printf '   ok, %d s\n' $((SECONDS - start))
  else
    tail -n 60 "$log"
    printf '   FAILED, %d s; the whole log is %s\n' $((SECONDS - start)) "$log"
    stage_failures+=("$name")
    [ "$stage_keep_going" = yes ] || stage_finish
  fi
}

stage_heartbeat_pid=
stage_stop_heartbeat() {
  [ -n "$stage_heartbeat_pid" ] || return 0
  kill "$stage_heartbeat_pid" 2>/dev/null || true
  wait "$stage_heartbeat_pid" 2>/dev/null || true
  stage_heartbeat_pid=
}
trap stage_stop_heartbeat EXIT

# Every 30 seconds, the last line of the log: a long stage shows where it is.
stage_heartbeat() {
  local script=$1 log=$2 start=$3
  while sleep 30 >/dev/null 2>&1 && kill -0 "$script" 2>/dev/null; do
    printf '   %3d s  %s\n' $((SECONDS - start)) "$(tail -n 1 "$log" | sed "s/^ *[0-9]* s *//" | cut -c 1-100)"
  done
}

stage_summary() { :; }  # what else to say under the table; for the caller to replace

# The table; ends the script if a stage failed.
stage_finish() {
  local i total=0 name
  printf '\n%-14s %s\n' stage seconds
  for i in "${!stage_names[@]}"; do
    printf '%-14s %7d\n' "${stage_names[i]}" "${stage_times[i]}"
    total=$((total + stage_times[i]))
  done
  printf '%-14s %7d\n\n' total "$total"
  stage_summary
  [ ${#stage_failures[@]} -gt 0 ] || return 0
  for name in "${stage_failures[@]}"; do
    printf 'FAILED: %s (alone: %s %s)\n' "$name" "$stage_rerun" "$name"
  done
  exit 1
}
