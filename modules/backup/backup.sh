# choiros-backup FOLDER COPIES LAST DAILY: copy each SQLite database of FOLDER to COPIES while it is in use, and check
# the copy. What is in FOLDER was made by whoever runs there: nothing but a regular file is opened, no link is followed,
# and each file has a limit of time and size. The copies of one run share a number, by which the LAST newest are kept,
# and before these those of a run a day for DAILY days.
folder=$1 copies=$2 last=$3 daily=$4
most=1000 # databases
failed=0 skipped=0 copied=0
if [ ! -d "$folder" ]; then
  echo "there is no $folder yet"
  exit 0
fi
exec 9< "$copies"
flock 9 # a restore is done first

# said NAME SENTENCE -- names are printed so that they can't forge a line
said() { printf '%q %s\n' "$1" "$2" >&2; }

skip() {
  skipped=$((skipped + 1))
  if [ "$skipped" -le 20 ]; then said "$@"; fi
}

damaged() {
  said "$@"
  failed=1
}

# numbers -- "NUMBER DAY FILE" of each copy, the oldest first; those of before there were numbers are older than all
numbers() {
  find "$copies" -maxdepth 1 -type f -name '*.db' -printf '%f\n' \
    | sed -nE -e 's/^.*\.([0-9]{6,12})\.([0-9]{8})T[0-9]{6}Z\.db$/\1 \2 &/p' -e t -e 's/^.*\.(([0-9]{8})T[0-9]{6}Z)\.db$/0.\1 \2 &/p' \
    | sed -E 's/^0\.([0-9]{8})T([0-9]{6})Z/0.\1\2/' | sort -k 1,1n -k 3,3
}

# room BYTES -- whether so much fits into what is free, less what the disk's other users must find
room() {
  local size available
  read -r size available < <(df --output=size,avail --block-size=1 "$copies" | tail -n 1)
  local reserve=$((size / 10))
  [ "$reserve" -le $((2 << 30)) ] || reserve=$((2 << 30))
  [ $((available - reserve)) -gt "$1" ]
}

sqlite() { timeout --kill-after=10 1200 sqlite3 -batch -bail -init /dev/null "$@" < /dev/null; }

# copy DATABASE PART -- one read transaction is one moment, however much is written meanwhile
copy() {
  sqlite -readonly -nofollow -cmd '.timeout 30000' "$1" 'BEGIN; SELECT count(*) FROM sqlite_schema' ".backup '$2'" > /dev/null || return 1
  # one file, which whoever reads it need not write beside: not WAL's
  if [ "$(dd if="$2" bs=1 skip=18 count=2 status=none | od -An -tx1)" = " 02 02" ]; then
    printf '\1\1' | dd of="$2" bs=1 seek=18 conv=notrunc status=none
  fi
  # holes stay holes
  fallocate --dig-holes "$2" 2> /dev/null || true
}

backup() { # FILE
  local name=${1%.db} database=$folder/$1 part=$copies/$1.part size log verdict
  if [ ! -r "$database" ]; then
    damaged "$1" "can't be read by $(id --user), whom the databases belong to: give it to that user"
    return
  fi
  if [ "$(dd if="$database" iflag=nofollow,nonblock bs=15 count=1 status=none 2> /dev/null | tr '\0' '?')" != "SQLite format 3" ]; then
    if compgen -G "$copies/$name.*.db" > /dev/null; then
      damaged "$1" "was a database, and is none now; its copies are kept"
    else
      skip "$1" "is no SQLite database, and isn't copied"
    fi
    return
  fi
  size=$(($(stat -c %s "$database") + $(stat -c %s "$database-wal" 2> /dev/null || echo 0)))
  if ! room "$size"; then
    damaged "$1" "isn't copied: $copies has too little room for its $((size >> 20)) MiB; make room, or set services.choiros.backup.directory or keep"
    return
  fi
  if ! log=$(ulimit -f $((size / 1024 + 1024)) && copy "$database" "$part" 2>&1); then
    damaged "$1" "couldn't be copied: $(tail -n 1 <<< "${log:-it took too long}" | tr -cd '[:print:]' | cut -c 1-200)"
  elif verdict=$(sqlite -readonly -safe "$part" 'PRAGMA integrity_check(1)' 2>&1) && [ "$verdict" = ok ]; then
    sync "$part"
    mv -T -- "$part" "$copies/$name.$number.$now.db"
    copied=$((copied + 1))
  else
    damaged "$1" "is damaged: $(head -n 1 <<< "$verdict" | tr -cd '[:print:]' | cut -c 1-200)"
  fi
  rm -f -- "$part" "$part-journal"
}

trap 'rm -f -- "$copies"/*.part "$copies"/*.part-journal' EXIT
trap 'exit 143' TERM
rm -f -- "$copies"/*.part "$copies"/*.part-journal

now=$(date --utc +%Y%m%dT%H%M%SZ)
number=$(numbers | tail -n 1 | cut -d ' ' -f 1)
printf -v number '%06d' $((10#$(cut -d . -f 1 <<< "${number:-0}") + 1))
found=0
while IFS= read -r -d '' entry; do
  kind=${entry%% *} file=${entry#* }
  found=$((found + 1))
  if [ "$found" -gt "$most" ]; then
    damaged "$folder" "has more than $most files that end in .db; the others aren't copied"
    break
  elif [ "$kind" != f ]; then
    skip "$file" "is no regular file, and isn't copied"
  elif [[ ! $file =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.db$ ]]; then
    skip "$file" "isn't copied: a database's name has letters, digits, dots, hyphens and underscores; rename it"
  else
    backup "$file"
  fi
done < <(find "$folder" -maxdepth 1 -name '*.db' -printf '%y %f\0')
if [ "$skipped" -gt 20 ]; then said "$folder" "has $((skipped - 20)) more files that aren't copied"; fi

# what the rule doesn't keep; a run that copied nothing removes nothing
if [ "$copied" -gt 0 ]; then
  declare -A days=()
  run='' runs=0
  while read -r of day file; do
    if [ "$of" != "$run" ]; then
      run=$of runs=$((runs + 1)) keep=1
      if [ "$runs" -gt "$last" ]; then
        if [ -z "${days[$day]:-}" ] && [ "${#days[@]}" -lt "$daily" ]; then days[$day]=1; else keep=0; fi
      fi
    fi
    if [ "$keep" = 0 ]; then rm -- "$copies/$file"; fi
  done < <(numbers | tac)
fi
echo "$copied copied as $number"
exit "$failed"
