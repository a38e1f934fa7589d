#!/usr/bin/env bash
# Makes this host ready for `docker compose up`: looks at the host, writes .env, downloads the weights. Run it as often as you
# like: what is done is not done again, and what you have set in .env stays.
#
#   ./prepare.sh                        for a GPU host
#   ./prepare.sh --stack cpu            without a GPU (also: fastdeploy, sglang, basic)
#   ./prepare.sh --check                only report; exit code 1 if something is missing
#   ./prepare.sh --gpus 0,1             one VLM server for each of several GPUs
#   ./prepare.sh --model PaddleOCR-VL-1.6   serve that one; weights of others: --only NAME,NAME
#   ./prepare.sh --source modelscope    weights from ModelScope instead of Hugging Face (HF_ENDPOINT names a mirror of that)
#   ./prepare.sh --offline-bundle DIR   save images and weights to DIR, for a host without a network
#   ./prepare.sh --from-bundle DIR      load them there
#   ./prepare.sh --lock [NAME...]       write models.lock anew with the newest revisions
#
# Needs bash, curl, sha256sum and Docker; python3 for files that models.lock does not list and for --lock.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly STACKS='gpu fastdeploy sglang cpu basic'
readonly ENV_FILE=${HPS_ENV_FILE:-.env}

# shellcheck source=deploy/prepare/report.sh
. deploy/prepare/report.sh
# shellcheck source=deploy/prepare/environment.sh
. deploy/prepare/environment.sh
MODELS_DIR=$(env_value HPS_MODELS_DIR)
readonly MODELS_DIR=${MODELS_DIR:-models}
# shellcheck source=deploy/prepare/host.sh
. deploy/prepare/host.sh
# shellcheck source=deploy/prepare/models.sh
. deploy/prepare/models.sh
# shellcheck source=deploy/prepare/bundle.sh
. deploy/prepare/bundle.sh

usage() { sed -n '2,/^# Needs/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

check_only=false stack_given='' stack='' gpus='' model='' only='' source=huggingface bundle='' from_bundle='' lock=false lock_names=() vlm_stack=''

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --check) check_only=true ;;
      --lock) lock=true; shift; lock_names=("$@"); break ;;
      -h | --help) usage; exit 0 ;;
      --stack | --gpus | --model | --only | --source | --offline-bundle | --from-bundle)
        [ -n "${2:-}" ] || stop "$1 needs a value; see ./prepare.sh --help"
        case $1 in
          --stack) stack=$2 ;; --gpus) gpus=$2 ;; --model) model=$2 ;; --only) only=$2 ;; --source) source=$2 ;;
          --offline-bundle) bundle=$2 ;; --from-bundle) from_bundle=$2 ;;
        esac
        shift ;;
      *) stop "unknown argument $1; see ./prepare.sh --help" ;;
    esac
    shift
  done
  case $source in huggingface | modelscope) ;; *) stop "--source is huggingface or modelscope, not $source" ;; esac
  case " $STACKS " in *" ${stack:-gpu} "*) ;; *) stop "--stack is one of: $STACKS; not $stack" ;; esac
  case $MODELS_DIR in /*) stop "HPS_MODELS_DIR=$MODELS_DIR: Compose looks below this folder; for weights elsewhere make models a link to them" ;; esac
  [ -z "$gpus" ] || [[ $gpus =~ ^[^,[:space:]]+(,[^,[:space:]]+)*$ ]] || stop "--gpus is a list such as 0,1, not '$gpus'"
}

main() {
  parse_arguments "$@"
  if $lock; then write_lock "${lock_names[@]}"; return; fi
  stack_given=$stack
  stack=${stack:-$(stack_of_env)}
  if $check_only; then
    check_host "$stack"
    check_environment "$stack"
    check_models "$stack"
    finish_report
    return
  fi
  if [ -n "$from_bundle" ]; then
    load_bundle "$from_bundle"
    write_environment "$stack" "$gpus" "$model"
    check_host "$stack"
    check_models "$stack"
  else
    check_host "$stack"
    write_environment "$stack" "$gpus" "$model"
    fetch_models "$stack" "$source" "$only"
  fi
  [ -z "$bundle" ] || save_bundle "$bundle" "$stack"
  finish_report
}

main "$@"
