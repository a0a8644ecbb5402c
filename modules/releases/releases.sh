# choiros-releases PLAN PROFILES KEEP: make each closure of PLAN, of which a line is WORKSPACE SANDBOX CLOSURE with dev
# as a workspace's last, a release of its workspace, and see that each sandbox is pinned to one. A pin that is there
# stays as it is. Releases that nobody needs go: not the KEEP newest, nor what is pinned, was pinned before, or runs.
plan=$1 profiles=$2 keep=$3
alone "$profiles"

numbers() { # FOLDER -- of its releases, the newest last
  find "$1" -maxdepth 1 -type l -name 'release-*-link' -printf '%f\n' | sed -nE 's/^release-([1-9][0-9]{0,8})-link$/\1/p' | sort -n
}

number_of() { # FOLDER CLOSURE -- the newest release that is this closure
  local number found=''
  for number in $(numbers "$1"); do
    if [ "$(readlink "$1/release-$number-link")" = "$2" ]; then found=$number; fi
  done
  echo "$found"
}

add() { # FOLDER CLOSURE
  local number
  number=$(($(numbers "$1" | tail -n 1) + 1))
  place "$2" "$1/release-$number-link"
  echo "$(basename "$1") has release $number: $2"
}

# runs SANDBOX -- its closure, as a host of before there were releases has left it running
runs() {
  local closure
  closure=$(cat "/run/choiros-sandboxes/$1" 2> /dev/null || true)
  if systemctl is-active --quiet "container@$1.service" && [ -e "$closure/init" ]; then echo "$closure"; fi
}

prune() { # FOLDER SANDBOX...
  local folder=$1 sandbox number link needed
  shift
  needed=" $(numbers "$folder" | tail -n "$keep" | tr '\n' ' ')"
  for sandbox in "$@"; do
    for link in "$folder/$sandbox" "$folder/.$sandbox-before"; do
      number=$(readlink "$link" || true)
      number=${number#release-}
      needed+="${number%-link} "
    done
    needed+="$(number_of "$folder" "$(cat "/run/choiros-sandboxes/$sandbox" 2> /dev/null || true)") "
  done
  for number in $(numbers "$folder"); do
    if [[ $needed != *" $number "* ]]; then rm -- "$folder/release-$number-link"; fi
  done
}

failed=0
declare -A newest=() sandboxes=()
while read -r workspace sandbox closure; do
  folder=$profiles/$workspace
  mkdir -p "$folder"
  newest[$workspace]=$closure
  sandboxes[$workspace]+=" $sandbox"
  if [ -L "$folder/$sandbox" ]; then
    if [ ! -e "$folder/$sandbox" ]; then
      echo "$sandbox is pinned to $(readlink "$folder/$sandbox"), which is gone: it can't start; see hypervisor releases, and promote or give it another" >&2
      failed=1
    fi
    continue
  fi
  running=$(runs "$sandbox")
  closure=${running:-$closure}
  [ -n "$(number_of "$folder" "$closure")" ] || add "$folder" "$closure"
  place "release-$(number_of "$folder" "$closure")-link" "$folder/$sandbox"
  echo "$sandbox is pinned to $(readlink "$folder/$sandbox")"
done < "$plan"

for workspace in "${!newest[@]}"; do
  folder=$profiles/$workspace
  last=$(numbers "$folder" | tail -n 1)
  if [ "$(readlink "$folder/release-$last-link")" != "${newest[$workspace]}" ]; then
    add "$folder" "${newest[$workspace]}"
  fi
  read -ra names <<< "${sandboxes[$workspace]}"
  prune "$folder" "${names[@]}"
done
exit "$failed"
