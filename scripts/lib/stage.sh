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
  stage_report "$name" "$status" "$start"
}

stage_report() {
  local name=$1 status=$2 seconds=$((SECONDS - $3)) log=$stage_logs/$1.log
  stage_names+=("$name")
  stage_times+=("$seconds")
  if [ "$status" -eq 0 ]; then
    printf '   %s ok, %d s\n' "$name" "$seconds"
  else
    tail -n 60 "$log"
    printf '   %s FAILED, %d s; the whole log is %s\n' "$name" "$seconds" "$log"
    stage_failures+=("$name")
    [ "$stage_keep_going" = yes ] || stage_finish
  fi
}

# stage_beside NAME COMMAND...: begins a stage that takes only what the stages behind it leave
# idle; stage_join waits for it and reports.
stage_beside_pid=
stage_beside() {
  stage_beside_name=$1
  stage_beside_start=$SECONDS
  shift
  mkdir -p "$stage_logs"
  printf '== %s, beside what follows\n' "$stage_beside_name"
  set -m  # a process group of its own, so that all of it can be ended
  (set -e; renice -n 19 "$BASHPID" >/dev/null; "$@") \
    >"$stage_logs/$stage_beside_name.log" 2>&1 </dev/null &
  set +m
  stage_beside_pid=$!
}

stage_join() {
  local status=0
  [ -n "$stage_beside_pid" ] || return 0
  wait "$stage_beside_pid" || status=$?
  stage_beside_pid=
  stage_report "$stage_beside_name" "$status" "$stage_beside_start"
}

stage_heartbeat_pid=
stage_stop_heartbeat() {
  [ -n "$stage_heartbeat_pid" ] || return 0
  kill "$stage_heartbeat_pid" 2>/dev/null || true
  wait "$stage_heartbeat_pid" 2>/dev/null || true
  stage_heartbeat_pid=
}
stage_end_all() {
  stage_stop_heartbeat
  [ -z "$stage_beside_pid" ] || kill -- "-$stage_beside_pid" 2>/dev/null || true
}
trap stage_end_all EXIT

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
  local i name
  printf '\n%-14s %s\n' stage seconds
  for i in "${!stage_names[@]}"; do
    printf '%-14s %7d\n' "${stage_names[i]}" "${stage_times[i]}"
  done
  printf '%-14s %7d\n\n' 'in all' "$SECONDS"
  stage_summary
  [ ${#stage_failures[@]} -gt 0 ] || return 0
  for name in "${stage_failures[@]}"; do
    printf 'FAILED: %s (alone: %s %s)\n' "$name" "$stage_rerun" "$name"
  done
  exit 1
}
