# shellcheck shell=bash
# Images and weights in a folder, for a host without a network. MANIFEST there says what they are and is written last, so a
# folder without one is not a bundle.

# compose ARGUMENT...: whichever Compose there is.
compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }

# Of the files that .env names, for this stack.
stack_images() { compose config 2>/dev/null | sed -n 's/^ *image: *//p' | tr -d "\"'" | sort -u; }

save_bundle() { # save_bundle DIR STACK
  local folder=$1 images image id need free vlm=$2
  if [ "$2" = basic ]; then vlm=$(env_value HPS_STACK) vlm=${vlm:-gpu}; fi
  [ "$failures" = 0 ] || stop 'no bundle is written while something above has failed'
  section "Bundle ($folder/)"
  mkdir -p "$folder"
  HPS_STACK=$vlm compose build >&2
  mapfile -t images < <(HPS_STACK=$vlm stack_images)
  [ "${#images[@]}" -gt 0 ] || stop 'docker compose config names no image'
  need=0
  for image in "${images[@]}"; do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull "$image" >&2 || stop "$image could not be pulled"
    need=$((need + $(docker image inspect --format '{{.Size}}' "$image") / 1048576))
  done
  need=$((need + $(du -sm "$MODELS_DIR" 2>/dev/null | cut -f1 || echo 0)))
  free=$(($(df -Pk "$folder" | awk 'NR == 2 { print $4 }') / 1024))
  [ "$free" -gt "$need" ] || stop "$folder has $free MiB free, and up to $need are needed"
  rm -f "$folder/MANIFEST"
  docker save --output "$folder/images.tar.part" "${images[@]}"
  mv "$folder/images.tar.part" "$folder/images.tar"
  ok "images.tar: ${images[*]}"
  mkdir -p "$folder/models"
  [ ! -d "$MODELS_DIR" ] || (cd "$MODELS_DIR" && tar -c --exclude='*.part' .) | tar -x -C "$folder/models"
  ok "models/: $(du -sh "$folder/models" | cut -f1)"
  save_project "$folder"
  {
    printf 'stack %s\n' "$2"
    [ "$vlm" = "$2" ] || [ "$vlm" = gpu ] || printf 'vlm %s\n' "$vlm"
    for image in "${images[@]}"; do
      id=$(docker image inspect --format '{{.Id}}' "$image")
      printf 'image %s %s\n' "$id" "$image"
    done
    (cd "$folder" && find . -type f ! -name MANIFEST ! -name '*.part' -print0 | sort -z | xargs -0 sha256sum)
  } >"$folder/MANIFEST.part"
  mv "$folder/MANIFEST.part" "$folder/MANIFEST"
  ok "MANIFEST: the checksum of each file. $ENV_FILE, which may hold keys, is not in it."
  note "On the other host: tar -xzf project.tar.gz -C SOMEWHERE, and there ./prepare.sh --from-bundle THIS_FOLDER"
}

# The compose files and this program, so that the bundle is all that the other host needs.
save_project() {
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard
  else
    find . -type f -not -path "./$MODELS_DIR/*" -not -name "$(basename "$ENV_FILE")" -print0
  fi | tar --null --files-from - -czf "$1/project.tar.gz.part"
  mv "$1/project.tar.gz.part" "$1/project.tar.gz"
  ok 'project.tar.gz: these files'
}

load_bundle() { # load_bundle DIR
  local folder=$1 id image loaded
  section "Bundle ($folder/)"
  [ -f "$folder/MANIFEST" ] || stop "$folder has no MANIFEST, so it is no bundle, or one that was never finished"
  if ! (cd "$folder" && sed '/^\(stack\|vlm\|image\) /d' MANIFEST | sha256sum --check --quiet --strict) >&2; then
    stop "files of $folder are not what MANIFEST says; copy it again"
  fi
  ok 'every file is what MANIFEST says'
  docker load --input "$folder/images.tar" >&2
  while read -r _ id image; do
    # Its id may differ: Docker's two image stores count differently. The archive itself has been checked.
    if loaded=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null); then
      ok "$image"
      [ "$loaded" = "$id" ] || note "its id is $loaded here; it was $id where it was saved"
    else
      fail "$image is not there after loading"
    fi
  done < <(grep '^image ' "$folder/MANIFEST")
  mkdir -p "$MODELS_DIR"
  tar -c -C "$folder/models" . | tar -x -C "$MODELS_DIR"
  ok "weights are in $MODELS_DIR/"
  [ -n "$stack_given" ] || stack=$(sed -n 's/^stack //p' "$folder/MANIFEST")
  vlm_stack=$(sed -n 's/^vlm //p' "$folder/MANIFEST")
}
