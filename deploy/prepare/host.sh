# shellcheck shell=bash
# What this host has: Docker and Compose, and for stacks with a GPU the driver, the GPUs and the container toolkit.

# The vLLM image that compose.yaml names is built for this CUDA. A driver says which CUDA it supports.
readonly IMAGE_CUDA=12.9
# CUDA 12.8 is the first that has code for Blackwell (compute capability 10 and 12).
readonly BLACKWELL_CUDA=12.8
readonly LEAST_CAPABILITY=8.0
# Compose 2.0 is the oldest that the files are written for; 2.24 is where `!reset` in an override of your own works.
readonly LEAST_COMPOSE=2.0
readonly LEAST_DOCKER=19.03
# Blackwell under WSL 2: older toolkits do not map the driver's newer libraries (PaddleOCR issue 17893).
readonly LEAST_TOOLKIT_WSL=1.14.4

# version_at_least HAVE WANT
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_host() {
  section "Host (stack: $1)"
  check_system
  check_docker && check_compose
  case $1 in
    cpu) ok 'no GPU is asked for' ;;
    *) check_gpu_host ;;
  esac
  check_disk "$1"
  check_port
}

check_system() {
  [ "$(uname -m)" = x86_64 ] || fail "this host is $(uname -m); the images are for x86_64"
  in_wsl || return 0
  case $(kernel_release) in
    *WSL2* | *microsoft-standard*) ok "Windows Subsystem for Linux 2" ;;
    *) fail 'this is WSL 1, which has no GPU and no Linux kernel: in PowerShell, wsl --set-version <distribution> 2' ;;
  esac
  case $PWD in /mnt/[a-z]/*) warn "$PWD is on the Windows disk: weights load many times faster from the Linux one (your home folder)" ;; esac
}

kernel_release() { cat "${HPS_PROC:-/proc}/sys/kernel/osrelease" 2>/dev/null || true; }
in_wsl() { grep -qi microsoft <<<"$(kernel_release)"; }

check_docker() {
  local version
  if ! command -v docker >/dev/null; then
    fail 'docker is not installed: https://docs.docker.com/engine/install/'
    return 1
  fi
  if ! version=$(docker version --format '{{.Server.Version}}' 2>/dev/null) || [ -z "$version" ]; then
    fail 'the Docker daemon does not answer: start it (or Docker Desktop), and be in the group docker'
    return 1
  fi
  if version_at_least "$version" "$LEAST_DOCKER"; then ok "Docker $version"; else fail "Docker $version is too old: $LEAST_DOCKER or newer"; fi
}

check_compose() {
  local version
  if version=$(docker compose version --short 2>/dev/null); then
    version=${version#v}
    if version_at_least "$version" "$LEAST_COMPOSE"; then ok "Docker Compose $version"; else fail "Docker Compose $version is too old: $LEAST_COMPOSE or newer"; fi
  elif version=$(docker-compose version --short 2>/dev/null); then
    if version_at_least "${version#v}" 2.0; then
      ok "Docker Compose $version, as docker-compose"
    else
      warn "docker-compose $version: the files load, but with it write GPU_DEVICE_ID into deploy/compose/gpu.yaml yourself; better install Compose 2"
    fi
  else
    fail 'Docker Compose is not installed: https://docs.docker.com/compose/install/'
  fi
}

check_gpu_host() {
  local cuda driver
  if ! command -v nvidia-smi >/dev/null; then
    fail "nvidia-smi is not there: install NVIDIA's driver$(in_wsl && echo ' in Windows (not in WSL)'), or use --stack cpu"
    return
  fi
  if ! driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1) || [ -z "$driver" ]; then
    fail "nvidia-smi finds no GPU: $(nvidia-smi 2>&1 | head -n 1)"
    return
  fi
  # Some drivers print "CUDA Version", newer ones "CUDA UMD Version".
  cuda=$(nvidia-smi 2>/dev/null | sed -n 's/.*CUDA[A-Z ]* Version: *\([0-9][0-9.]*\).*/\1/p' | head -n 1)
  check_chosen_gpus
  check_gpus "${cuda:-0}"
  check_driver "$driver" "${cuda:-0}"
  check_toolkit
}

# Every GPU, one a line: index, name, MiB, compute capability, UUID.
list_gpus() { nvidia-smi --query-gpu=index,name,memory.total,compute_cap,uuid --format=csv,noheader,nounits 2>/dev/null; }

# The GPUs that containers get, one a line, as .env or --gpus names them.
chosen_gpus() {
  local first number
  first=$(env_value HPS_DEVICE_ID)
  first=${first:-$(env_value GPU_DEVICE_ID)} first=${first:-${gpus%%,*}}
  {
    printf '%s\n' "${first:-0}"
    case $gpus in *,*) tr , '\n' <<<"${gpus#*,}" ;; esac
    for number in 1 2 3 4 5 6 7; do env_value "HPS_VLM_GPU_$number"; echo; done
  } | awk 'NF && !seen[$0]++'
}

# known_gpus: every name that a GPU has: "NAME INDEX", by index, UUID, and the UUIDs of its MIG slices.
known_gpus() {
  list_gpus | awk -F', *' '{ print $1, $1; print $5, $1 }'
  nvidia-smi -L 2>/dev/null | sed -n -e 's/^GPU \([0-9]*\):.*/\1/p' -e 's/.*UUID: \(MIG-[^)]*\)).*/\1/p' |
    awk '/^MIG-/ { print $0, index_of; next } { index_of = $0 }'
}

check_chosen_gpus() {
  local each known
  known=$(known_gpus)
  for each in $(chosen_gpus); do
    grep -q "^$each " <<<"$known" || fail "GPU $each is chosen, and is not there; there are: $(list_gpus | awk -F, '{ printf "%s%s", sep, $1; sep = " " }')"
  done
}

check_gpus() { # check_gpus CUDA
  local index name memory capability chosen problem
  chosen=$(awk 'NR == FNR { chosen[$1]; next } $1 in chosen { print $2 }' <(chosen_gpus) <(known_gpus))
  while IFS=, read -r index name memory capability _; do
    name=${name# } memory=${memory// /} capability=${capability// /}
    # A GPU that nothing here runs on may be as old as it likes.
    if grep -qxF "$index" <<<"$chosen"; then problem=fail; else problem=warn; fi
    if [ "$capability" = '[N/A]' ] || [ -z "$capability" ]; then
      warn "GPU $index, $name: this nvidia-smi does not tell its compute capability; $LEAST_CAPABILITY is the least"
    elif ! version_at_least "$capability" "$LEAST_CAPABILITY"; then
      $problem "GPU $index, $name: compute capability $capability, and $LEAST_CAPABILITY is the least (Ampere, RTX 30 and newer)"
    elif version_at_least "$capability" 10.0 && ! version_at_least "$1" "$BLACKWELL_CUDA"; then
      $problem "GPU $index, $name is a Blackwell (compute capability $capability): its driver must support CUDA $BLACKWELL_CUDA, this one has $1"
    else
      ok "GPU $index, $name, $memory MiB, compute capability $capability"
    fi
    [ "$memory" -ge 7000 ] 2>/dev/null || warn "GPU $index has $memory MiB; 8 GB are the least that was planned for"
  done < <(list_gpus)
}

check_driver() { # check_driver DRIVER CUDA
  if version_at_least "$2" "$IMAGE_CUDA"; then
    ok "driver $1, CUDA $2"
  elif [ "$2" = 0 ]; then
    warn "driver $1: nvidia-smi does not say which CUDA it supports; the vLLM image is built for $IMAGE_CUDA"
  elif grep -qE 'A100|A800|H100|H800|H20|H200|A30|A10,|L4,|L40|L20|B200|Tesla' <<<"$(list_gpus)"; then
    warn "driver $1 supports CUDA $2, the vLLM image is built for $IMAGE_CUDA: on data-centre GPUs NVIDIA's compatibility package may bridge that; else update the driver"
  else
    fail "driver $1 supports CUDA $2, the vLLM image is built for $IMAGE_CUDA: update the driver (575 or newer), or name an older image with HPS_VLLM_IMAGE"
  fi
}

check_toolkit() {
  local version
  version=$({ nvidia-ctk --version || true; } 2>/dev/null | sed -n 's/.*version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
  if in_wsl && [ -n "$version" ] && ! version_at_least "$version" "$LEAST_TOOLKIT_WSL"; then
    fail "NVIDIA Container Toolkit $version: under WSL 2 $LEAST_TOOLKIT_WSL is the least"
  elif [ -n "$version" ] || grep -q nvidia <<<"$(docker info --format '{{json .Runtimes}}' 2>/dev/null)"; then
    ok "NVIDIA Container Toolkit ${version:-is known to Docker}"
  elif grep -q 'Docker Desktop' <<<"$(docker info --format '{{.OperatingSystem}}' 2>/dev/null)"; then
    ok 'Docker Desktop brings the container toolkit'
  else
    fail 'the NVIDIA Container Toolkit is missing, so no container sees a GPU: install nvidia-container-toolkit, then nvidia-ctk runtime configure --runtime=docker and restart Docker'
  fi
}

check_disk() {
  local need free
  # Images and weights: vLLM's is about 10 GB compressed and twice that unpacked, Triton's nearly as much.
  case $1 in cpu) need=6 ;; *) need=60 ;; esac
  free=$(($(df -Pk . | awk 'NR == 2 { print $4 }') / 1024 / 1024))
  if [ "$free" -ge "$need" ]; then ok "$free GB free here"; else warn "$free GB free here; images and weights take up to $need GB (Docker's own folder may be on another disk)"; fi
}

check_port() {
  local port
  port=$(port_value)
  # Something that answers may well be this service, so it is no error.
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    warn "something listens on port $port already; if it is not this service, set HPS_PORT"
  else
    ok "port $port is free"
  fi
}
