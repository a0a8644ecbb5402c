# choiros-releases PLAN PROFILES KEEP: make each closure of PLAN, of which a line is WORKSPACE SANDBOX CLOSURE with dev
# as a workspace's last, a release of its workspace, and see that each sandbox is pinned to one; those of slots are when
# they are first started. A pin that is there stays as it is. Releases that nobody needs go: not the KEEP newest, nor
# what is pinned, was pinned before, or runs.
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

prune() { # FOLDER
  local number needed links
  # pins, and what was pinned before
  links=$(find "$1" -maxdepth 1 -type l ! -name 'release-*' -printf '%l\n')
  needed=" $(numbers "$1" | tail -n "$keep" | tr '\n' ' ')$(sed -nE 's/^release-([0-9]+)-link$/\1/p' <<< "$links" | tr '\n' ' ')"
  for number in $(numbers "$1"); do
    if [[ $needed != *" $number "* ]] && [[ $run != *" $(readlink "$1/release-$number-link") "* ]]; then
      rm -- "$1/release-$number-link"
    fi
  done
}

failed=0
declare -A newest=()
while read -r workspace sandbox closure; do
  folder=$profiles/$workspace
  mkdir -p "$folder"
  newest[$workspace]=$closure
  [ "$workspace" != slots ] || continue
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

# the closures that sandboxes run, whatever they are pinned to
run=" $(find /run/choiros-sandboxes -type f -exec cat {} + 2> /dev/null | tr '\n' ' ')"
for workspace in "${!newest[@]}"; do
  folder=$profiles/$workspace
  last=$(numbers "$folder" | tail -n 1)
  if [ "$(readlink "$folder/release-$last-link")" != "${newest[$workspace]}" ]; then
    add "$folder" "${newest[$workspace]}"
  fi
  prune "$folder"
done
exit "$failed"
