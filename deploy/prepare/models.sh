# shellcheck shell=bash
# Weights: what models.lock says, brought into models/ and checked. A file is under its name only when it is whole and right.

readonly LOCK=models.lock
readonly RECORD=$MODELS_DIR/models.lock # what the first download found, where LOCK does not know

# models_of STACK: the models that it needs.
models_of() {
  local weights layout
  weights=$(env_value HPS_VLM_WEIGHTS) layout=$(env_value HPS_LAYOUT_MODEL)
  case $1 in
    cpu) ;; # the weights of its engines are inside their packages
    *) printf '%s\n' "${weights:-PaddleOCR-VL}" "${layout:-PP-DocLayoutV2}" PP-LCNet_x1_0_doc_ori UVDoc ;;
  esac
}

# lock_lines FILE MODEL: the lines of that model.
lock_lines() {
  [ ! -f "$1" ] || awk -v model="$2" '$1 == "model" { on = $2 == model; next } on && NF && $1 !~ /^#/' "$1"
}

knows_model() { grep -qx "model $1" "$LOCK"; }

# recorded MODEL PATH: "SHA256 BYTES", from LOCK, else from RECORD, else "- -".
recorded() {
  {
    lock_lines "$LOCK" "$1"
    lock_lines "$RECORD" "$1"
  } | awk -v path="$2" '
    $1 == "file" && $4 == path { if (sum == "" && $2 != "-") sum = $2; if (size == "" && $3 != "-") size = $3 }
    END { print (sum == "" ? "-" : sum), (size == "" ? "-" : size) }'
}

# files_of MODEL: the paths that are known.
files_of() {
  {
    lock_lines "$LOCK" "$1"
    lock_lines "$RECORD" "$1"
  } | awk '$1 == "file" && !seen[$4]++ { print $4 }'
}

is_listed_in_full() { # whether no hub has to be asked for the list
  ! lock_lines "$LOCK" "$1" | grep -qx and-others || lock_lines "$RECORD" "$1" | grep -qx complete
}

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# problem_with MODEL PATH FILE: a sentence if FILE is not what is recorded; nothing if it is, or if nothing is recorded.
problem_with() {
  local sum size
  read -r sum size < <(recorded "$1" "$2")
  if [ "$size" != - ] && [ "$(stat -c %s "$3")" != "$size" ]; then
    echo "has $(stat -c %s "$3") bytes, not $size"
  elif [ "$sum" != - ] && [ "$(sha256_of "$3")" != "$sum" ]; then
    echo "has another SHA-256 than recorded ($sum)"
  fi
}

check_models() {
  local name
  section "Weights ($MODELS_DIR/)"
  for name in $(models_of "$1"); do check_model "$name"; done
  [ -n "$(models_of "$1")" ] || ok 'none are needed: they are inside packages'
}

check_model() {
  local path problem missing=0 known=0
  if ! knows_model "$1"; then
    # Weights of your own.
    if [ -f "$MODELS_DIR/$1/config.json" ]; then ok "$1 (not in $LOCK, so not checked)"; else fail "$MODELS_DIR/$1 has no config.json, and $LOCK does not know it"; fi
    return
  fi
  while read -r path; do
    known=$((known + 1))
    if [ ! -f "$MODELS_DIR/$1/$path" ]; then
      missing=$((missing + 1))
    elif problem=$(problem_with "$1" "$path" "$MODELS_DIR/$1/$path") && [ -n "$problem" ]; then
      fail "$MODELS_DIR/$1/$path $problem: it was changed or is damaged; remove it and run ./prepare.sh"
      return
    fi
  done < <(files_of "$1")
  if [ "$missing" -gt 0 ]; then
    fail "$1: $missing of $known files are missing; ./prepare.sh downloads them"
  elif ! is_listed_in_full "$1"; then
    fail "$1 was never completed; ./prepare.sh does that"
  else
    ok "$1, $known files"
  fi
}

fetch_models() { # fetch_models STACK SOURCE ONLY
  local name names
  section "Weights ($MODELS_DIR/, from $2)"
  names=${3//,/ }
  names=${names:-$(models_of "$1")}
  mkdir -p "$MODELS_DIR"
  for name in $names; do
    if knows_model "$name"; then fetch_model "$name" "$2" || true; else check_model "$name"; fi
  done
  [ -n "$names" ] || ok 'none are needed: they are inside packages'
}

fetch_model() { # fetch_model NAME SOURCE; returns 1 where a file could not be had
  local repository revision path listed='' bad=0
  read -r repository revision < <(lock_lines "$LOCK" "$1" | awk -v hub="$2" '$1 == "source" && $2 == hub { print $3, $4 }') ||
    { fail "$1: $LOCK names no place for it at $2"; return 1; }
  if ! is_listed_in_full "$1"; then
    listed=$(list_files "$2" "$repository" "$revision") ||
      { fail "$1: the list of its files could not be had from $2; no network?  (--from-bundle needs none)"; return 1; }
  fi
  while read -r path; do
    fetch_file "$1" "$path" "$(file_url "$2" "$repository" "$revision" "$path")" || bad=1
  done < <({ files_of "$1"; printf '%s\n' "$listed"; } | awk 'NF && !seen[$0]++')
  [ "$bad" = 0 ] || return 1
  [ -z "$listed" ] || record "$1" complete
  chmod -R a+rX "$MODELS_DIR/$1" # the containers are another user
  ok "$1"
}

file_url() { # file_url SOURCE REPOSITORY REVISION PATH
  case $1 in
    huggingface) printf '%s/%s/resolve/%s/%s' "${HF_ENDPOINT:-https://huggingface.co}" "$2" "$3" "$4" ;;
    modelscope) printf '%s/models/%s/resolve/%s/%s' "${MODELSCOPE_ENDPOINT:-https://modelscope.cn}" "$2" "$3" "$4" ;;
  esac
}

list_files() { # list_files SOURCE REPOSITORY REVISION
  command -v python3 >/dev/null || { note "python3 is needed to read the hub's list of files" >&2; return 1; }
  python3 deploy/prepare/hub.py files "$@"
}

fetch_file() { # fetch_file MODEL PATH URL
  local target=$MODELS_DIR/$1/$2 part=$MODELS_DIR/$1/$2.part problem begun=false
  if [ -f "$target" ]; then
    problem=$(problem_with "$1" "$2" "$target")
    [ -n "$problem" ] || { remember "$1" "$2" "$target"; return 0; }
    fail "$target $problem: it was changed or is damaged; remove it to have it downloaded again"
    return 1
  fi
  mkdir -p "$(dirname "$target")"
  [ ! -f "$part" ] || begun=true
  if ! download "$3" "$part"; then
    fail "$1/$2 could not be downloaded; what there is of it is kept, and the next run goes on from there"
    return 1
  fi
  problem=$(problem_with "$1" "$2" "$part")
  if [ -n "$problem" ] && $begun; then # what an earlier run left was no beginning of this file
    rm "$part"
    download "$3" "$part" && problem=$(problem_with "$1" "$2" "$part") || return 1
  fi
  if [ -n "$problem" ]; then
    rm "$part"
    fail "$1/$2 as downloaded $problem; it was thrown away"
    return 1
  fi
  mv "$part" "$target"
  remember "$1" "$2" "$target"
}

# download URL PART: goes on where an earlier attempt stopped.
download() {
  local code
  code=$(transfer "$1" "$2" --continue-at -) && return 0
  # 416: the part is as long as the file, or longer. 33: the server cannot go on in the middle. From the start, then.
  case $code in 416* | *' 33') ;; *) return 1 ;; esac
  rm -f "$2"
  transfer "$1" "$2" >/dev/null
}

# transfer URL PART OPTION...: prints the HTTP status, and curl's own where that says more. The slow are given up, not the long.
transfer() {
  local url=$1 part=$2 status=0
  shift 2
  curl --fail --location --silent --show-error --retry 4 --retry-delay 1 --connect-timeout 20 --speed-time 60 --speed-limit 1000 \
    --write-out '%{http_code}' "$@" --output "$part" "$url" || status=$?
  [ "$status" = 0 ] || printf ' %s' "$status"
  return "$status"
}

# remember MODEL PATH FILE: its checksum, where neither lock file has it: from now on it may not change.
remember() {
  local sum size
  read -r sum size < <(recorded "$1" "$2")
  if [ "$sum" = - ] || [ "$size" = - ]; then
    [ "$sum" != - ] || sum=$(sha256_of "$3")
    record "$1" "file $sum $(stat -c %s "$3") $2"
  fi
}

record() { # record MODEL LINE
  lock_lines "$RECORD" "$1" | grep -qxF -- "$2" || printf 'model %s\n%s\n' "$1" "$2" >>"$RECORD"
}

# write_lock [NAME...]: the newest revision of each model, its files downloaded, their checksums.
write_lock() {
  command -v python3 >/dev/null || stop '--lock needs python3'
  python3 deploy/prepare/hub.py lock "$LOCK" "$@"
  section "$LOCK is written anew. Look at what changed (git diff $LOCK), then ./prepare.sh downloads it."
}
