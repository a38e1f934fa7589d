#!/usr/bin/env bash
# parse.sh URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written.
# curl asks with `Expect: 100-continue` before large bodies; here always.
set -euo pipefail
url=$1 file=$2 file_type=$3 folder=$4
base64 "$file" | jq --raw-input --slurp --argjson type "$file_type" '{file: ., fileType: $type}' > "$folder/request.json"
curl --silent --show-error --fail-with-body "$url/layout-parsing" \
  --header 'Content-Type: application/json' --header 'Expect: 100-continue' \
  --data @"$folder/request.json" > "$folder/answer.json"
rm "$folder/request.json"
pages=$(jq '.result.layoutParsingResults | length' "$folder/answer.json")
for ((number = 0; number < pages; number++)); do
  page=".result.layoutParsingResults[$number]"
  jq --compact-output "$page.prunedResult" "$folder/answer.json"
  jq --raw-output "$page.markdown.text" "$folder/answer.json" > "$folder/page-$number.md"
  jq --raw-output "$page.markdown.images | to_entries[] | [.key, .value] | @tsv" "$folder/answer.json" |
    while IFS=$'\t' read -r name encoded; do
      mkdir -p "$(dirname "$folder/$name")"
      base64 --decode <<< "$encoded" > "$folder/$name"
    done
  jq --raw-output "$page.outputImages | to_entries[] | [.key, .value] | @tsv" "$folder/answer.json" |
    while IFS=$'\t' read -r name encoded; do
      base64 --decode <<< "$encoded" > "$folder/$name-$number.jpg"
    done
done
rm "$folder/answer.json"
