# shellcheck shell=bash
# The file .env: made from .env.example, and only added to.

# env_value NAME: its value, from the environment or .env; empty if neither has it.
env_value() {
  if [ -n "${!1:-}" ]; then
    printf '%s' "${!1}"
  elif [ -f "$ENV_FILE" ]; then
    # The last one counts, as in Compose; quotes around it do not.
    sed -n "s/^[[:space:]]*$1=//p" "$ENV_FILE" | tail -n 1 | sed -e 's/[[:space:]]*$//' -e "s/^\(['\"]\)\(.*\)\1\$/\2/"
  fi
}

# stack_of_env: the stack that `docker compose up` starts by what .env says.
stack_of_env() {
  local stack
  stack=$(env_value HPS_STACK)
  case $(env_value COMPOSE_FILE) in
    *compose.basic.yaml*) printf basic ;;
    *) printf '%s' "${stack:-gpu}" ;;
  esac
}

# set_default NAME VALUE: writes it where .env has no value yet. Returns 1, and says so, where it has another one.
set_default() {
  local present
  present=$(env_value "$1")
  [ "$present" != "$2" ] || return 0
  if [ -n "$present" ]; then
    warn "$ENV_FILE or the environment says $1=$present, and that stays; change it there if you want $1=$2"
    return 1
  fi
  # After the line that explains it, if there is one.
  if grep -q "^# \{0,1\}$1=" "$ENV_FILE"; then
    awk -v name="$1" -v value="$2" '{ print } !done && $0 ~ "^# ?" name "=" { print name "=" value; done = 1 }' \
      "$ENV_FILE" >"$ENV_FILE.part"
    cat "$ENV_FILE.part" >"$ENV_FILE" && rm "$ENV_FILE.part" # keeps owner and mode
  else
    printf '%s=%s\n' "$1" "$2" >>"$ENV_FILE"
  fi
  ok "$ENV_FILE: $1=$2"
}

check_environment() { # check_environment STACK
  section "Settings ($ENV_FILE)"
  if [ ! -f "$ENV_FILE" ]; then
    warn "$ENV_FILE is not there; ./prepare.sh writes it, and without it every setting has its default"
    return
  fi
  ok "$ENV_FILE is there"
  check_compose_file "$1"
  check_names
  warn_if_open
}

# check_compose_file STACK: COMPOSE_FILE may be left over from another stack, and that one would be started.
check_compose_file() {
  local files
  files=$(env_value COMPOSE_FILE)
  case $1:$files in
    basic: | basic:*compose.basic.yaml* | gpu:*multi-gpu.yaml*) ;;
    basic:* | *compose.basic.yaml* | *multi-gpu.yaml*)
      fail "$ENV_FILE or the environment says COMPOSE_FILE=$files, which is another stack than $1: take that line out, with COMPOSE_PROFILES and HPS_VLM_URLS if they came with it" ;;
  esac
}

# Names that nothing reads are mostly slips of the pen.
check_names() {
  local name
  while read -r name; do
    grep -qw "$name" .env.example || warn "$ENV_FILE: nothing reads $name (see .env.example)"
  done < <(sed -n 's/^[[:space:]]*\(\(HPS\|UVICORN\|GPU\)_[A-Z0-9_]*\)=.*/\1/p' "$ENV_FILE" | sort -u)
}

warn_if_open() {
  local address
  address=$(env_value HPS_PUBLISH_ADDRESS)
  if [ "${address:-0.0.0.0}" != 127.0.0.1 ] && [ -z "$(env_value HPS_API_KEYS)$(env_value HPS_API_KEYS_FILE)" ]; then
    warn "everyone who reaches port $(port_value) of this host may use the service: set HPS_API_KEYS, or HPS_PUBLISH_ADDRESS=127.0.0.1"
  fi
}

port_value() {
  local port
  port=$(env_value HPS_PORT)
  printf '%s' "${port:-8080}"
}

# write_environment STACK GPUS MODEL
write_environment() {
  section "Settings ($ENV_FILE)"
  case $2 in *,*) refuse_other_engines "$1" ;; esac
  if [ ! -f "$ENV_FILE" ]; then
    (umask 077 && cp .env.example "$ENV_FILE") # it may come to hold keys
    ok "$ENV_FILE written from .env.example"
  fi
  case $1 in
    basic)
      set_default COMPOSE_FILE compose.basic.yaml || true
      [ -z "$vlm_stack" ] || set_default HPS_STACK "$vlm_stack" || true ;;
    gpu) [ -z "$(env_value HPS_STACK)" ] || set_default HPS_STACK gpu || true ;;
    *) set_default HPS_STACK "$1" || true ;;
  esac
  [ -n "$(env_value HPS_IMAGE_STORE_SECRET)" ] || set_default HPS_IMAGE_STORE_SECRET "$(random_hex)" >/dev/null
  [ -z "$3" ] || set_default HPS_VLM_WEIGHTS "$3" || true
  [ -z "$2" ] || write_gpus "$2"
  check_compose_file "$1"
  check_names
  warn_if_open
}

random_hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# refuse_other_engines STACK: the further VLM servers of multi-gpu.yaml are vLLM's, and no others may stand beside them.
refuse_other_engines() {
  local each
  for each in "$1" "$(env_value HPS_STACK)"; do
    case $each in gpu | '') ;; *) stop "several GPUs are for --stack gpu, not $each: take one, as --gpus ${gpus%%,*}" ;; esac
  done
}

# write_gpus LIST: the first GPU for layout and one VLM server, one more VLM server for each of the others.
write_gpus() {
  local ids count urls=http://paddleocr-vlm-server:8080 number
  IFS=, read -r -a ids <<<"$1"
  count=${#ids[@]}
  [ "$count" -le 8 ] || stop '--gpus: up to 8 GPUs of one host'
  set_default GPU_DEVICE_ID "${ids[0]}" || true
  [ "$count" -gt 1 ] || return 0
  for ((number = 1; number < count; number++)); do
    set_default "HPS_VLM_GPU_$number" "${ids[number]}" || true
    urls+=,http://paddleocr-vlm-server-$number:8080
  done
  set_default COMPOSE_FILE compose.yaml:deploy/compose/multi-gpu.yaml || true
  set_default COMPOSE_PROFILES "gpus-$count" || true
  set_default HPS_VLM_URLS "$urls" || true
}
